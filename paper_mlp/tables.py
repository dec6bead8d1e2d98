"""Tables 1 and 2 of the paper: ours beside theirs, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from paper_mlp.methods import METHODS
from paper_mlp.outcome import Outcome

_OTHER_DATA = "not the paper's data, but"


@dataclass(frozen=True)
class Cell:
    """A number of the paper, and ours.

    Attributes
    ----------
    table : int
    column : str
        Of the paper's table; with the name of other data that were taken in their place.
    experiment, method : str
    measure : str
        In Table 1 test loss, or train or test accuracy, whichever the paper must mean.
    paper_mean, paper_sd, ours_mean, ours_sd : float
        Over seeds.
    train, test, best : float, optional
        Our mean loss or accuracy on either, and the best on the test examples at any evaluation in
        training, in Table 1.
    inside : bool
        Whether our mean lies within the paper's mean ± sd, all rounded to the paper's digits.
    remark : str
        Why it does not, if it does not.
    """

    table: int
    column: str
    experiment: str
    method: str
    measure: str
    paper_mean: float
    paper_sd: float
    ours_mean: float
    ours_sd: float
    train: float | None
    test: float | None
    best: float | None
    inside: bool
    remark: str

    @property
    def paper(self) -> str:
        """The paper's mean ± standard deviation."""
        return self._interval(self.paper_mean, self.paper_sd)

    @property
    def ours(self) -> str:
        """Our mean ± standard deviation, in the same form."""
        return self._interval(self.ours_mean, self.ours_sd)

    def _interval(self, mean: float, sd: float) -> str:
        if self.measure.endswith("loss"):
            power = _power(self.paper_mean)  # the same for both, for the eye
            return f"({mean / 10**power:.1f} ± {sd / 10**power:.1f})e{power:+03d}"
        return f"{self.plain(mean)} ± {self.plain(sd)}"

    def plain(self, value: float | None) -> str:
        """A number in the form of its measure; nothing for None."""
        if value is None:
            return ""
        if self.measure.endswith("accuracy"):
            return f"{value:.1%}"
        return f"{value:.3f}" if self.measure == "modularity" else f"{value:.2g}"


def cells(outcomes: Iterable[Outcome]) -> list[Cell]:
    """Every cell of Tables 1 and 2 for which there is a number of the paper and one of ours."""
    return [
        _cell(outcome, table, method)
        for table in (1, 2)
        for outcome in outcomes
        if (expected := outcome.reproduction.expected) is not None
        for method in (expected.table1, expected.table2)[table - 1]
        if method in outcome.methods
    ]


def _cell(outcome: Outcome, table: int, method: str) -> Cell:
    reproduction, expected = outcome.reproduction, outcome.reproduction.expected
    assert expected is not None
    measure = expected.measure if table == 1 else "modularity"
    mean, sd = (expected.table1 if table == 1 else expected.table2)[method]
    ours, spread = outcome.values(measure, method)
    digit = 10.0 ** (_power(mean) - 1) if measure.endswith("loss") else 1e-3
    inside = (
        isfinite(ours)
        and not outcome.instead
        and abs(round(ours / digit) - round(mean / digit)) <= round(sd / digit)
    )
    part = measure.split("_")[-1]
    train, test, best = (
        outcome.values(f"{which}_{part}", method)[0] if table == 1 else None
        for which in ("train", "test", "best_test")
    )
    remarks = reproduction.remarks if outcome.published else {}
    remark = "" if inside else remarks.get(f"table{table} {method}", "unexplained")
    remark = outcome.fill(remark)
    if outcome.instead:
        remark = f"{_OTHER_DATA}: {outcome.data}"
    return Cell(
        table,
        expected.column + (f" ({outcome.task.name})" if outcome.instead else ""),
        reproduction.name,
        method,
        measure,
        mean,
        sd,
        ours,
        spread,
        train,
        test,
        best,
        inside,
        remark,
    )


def _power(value: float) -> int:
    """The power of ten of a number's first digit."""
    return int(f"{value:e}".split("e")[1])


def as_text(table: Sequence[Cell]) -> str:
    """Both tables as plain text: paper, ours, and whether ours is inside the paper's band."""
    blocks = []
    for number, title in ((1, "Table 1: loss or accuracy"), (2, "Table 2: Newman modularity")):
        rows = [
            {
                "": cell.column,
                "method": METHODS[cell.method].title,
                "measure": cell.measure.replace("_", " "),
                "paper": cell.paper,
                "ours": cell.ours,
                "in the paper's band": "yes" if cell.inside else "no",
            }
            | (
                {
                    "ours, train": cell.plain(cell.train),
                    "ours, test": cell.plain(cell.test),
                    "best test in training": cell.plain(cell.best),
                }
                if number == 1
                else {}
            )
            for cell in table
            if cell.table == number
        ]
        if rows:
            blocks.append(f"{title}\n{pd.DataFrame(rows).to_string(index=False)}")
    others = {f"{c.column}: {c.remark}" for c in table if c.remark.startswith(_OTHER_DATA)}
    blocks += sorted(others)
    return "\n\n".join([*blocks, count_inside(table)])


def count_inside(table: Sequence[Cell]) -> str:
    """How many cells lie inside the paper's band, in a sentence."""
    inside = sum(cell.inside for cell in table)
    return f"{inside} of {len(table)} cells lie inside the paper's mean ± standard deviation."
