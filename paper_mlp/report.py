"""A report of all experiments: a text, tables as CSV, and the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path

import pandas as pd
from PIL import Image

from brainrnn.files import atomic_path
from brainrnn.runs.versions import noted_versions
from paper_mlp.methods import METHODS
from paper_mlp.outcome import Outcome
from paper_mlp.tables import Cell, cells, count_inside

_WIDEST = 2000  # pixels
_COLOURS = 128  # of a picture: enough for lines and words, and a third of the bytes


def write_report(outcomes: Sequence[Outcome], command: str, folder: Path) -> list[Path]:
    """Write README.md, the numbers as CSV, and the pictures into a folder.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Written, so that their texts and pictures are there.
    command : str
        What made them, as the report quotes it.
    folder : Path

    Returns
    -------
    list of Path
    """
    table = cells(outcomes)
    networks = pd.concat(
        [o.table.assign(experiment=o.reproduction.name) for o in outcomes], ignore_index=True
    )
    networks.insert(0, "experiment", networks.pop("experiment"))
    written = []
    for name, frame in (
        ("cells.csv", pd.DataFrame([asdict(cell) for cell in table])),
        ("structures.csv", structure_rates(outcomes)),
        ("networks.csv", networks.drop(columns=_checks(outcomes))),
    ):
        with atomic_path(folder / name) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.4g")
        written.append(folder / name)
    pictures: dict[str, list[tuple[str, str]]] = {}
    for outcome in outcomes:
        sources = {"graph": outcome.reproduction.shows.split(";")[0]}
        if len(set(outcome.methods)) > 1:
            sources["methods"] = "each method's first seed"
        sources |= {panel.name: panel.source for panel in outcome.reproduction.panels}
        for name, source in sources.items():
            drawn = outcome.run.path / "figures" / f"{name}.png"
            if not drawn.is_file():
                continue
            path = folder / f"{outcome.reproduction.name}_{name}.png"
            with Image.open(drawn) as picture, atomic_path(path) as temporary:
                whole = picture.convert("RGB")
                whole.thumbnail((_WIDEST, whole.height))
                few = whole.quantize(_COLOURS, dither=Image.Dither.NONE)
                few.save(temporary, "PNG", optimize=True)
            written.append(path)
            pictures.setdefault(outcome.reproduction.name, []).append((path.name, source))
    text = "\n\n".join(_text(outcomes, table, pictures, command))
    with atomic_path(folder / "README.md") as temporary:
        temporary.write_text(text + "\n", "utf-8")
    with atomic_path(folder / "facts.csv") as temporary:
        _facts(outcomes).to_csv(temporary, index=False)
    return [folder / "README.md", *written, folder / "facts.csv"]


def _facts(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """Every number that remarks and notes quote."""
    rows = [
        (outcome.reproduction.name, name, value)
        for outcome in outcomes
        for name, value in outcome.facts.items()
    ]
    return pd.DataFrame(rows, columns=["experiment", "fact", "value"])


def structure_rates(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """How often each structure appears: a row per experiment, structure and method.

    ``untrained`` is the rate before training, NaN if the run has no snapshot of that.
    """
    rows = [
        {
            "experiment": outcome.reproduction.name,
            "structure": check,
            "method": method,
            "networks": len(outcome.members(method)),
            "rate": outcome.values(check, method)[0],
            "untrained": outcome.untrained.get(check, float("nan")),
        }
        for outcome in outcomes
        for check in outcome.reproduction.checks
        for method in dict.fromkeys(outcome.methods)
    ]
    columns = ["experiment", "structure", "method", "networks", "rate", "untrained"]
    return pd.DataFrame(rows, columns=columns)


def modularity_order(outcomes: Iterable[Outcome]) -> list[str]:
    """For every column of Table 2, whether modularity rises from no penalty to L1 to BIMT.

    Judged only between methods that the paper puts in this order, in the mean over seeds.
    """
    lines = []
    for outcome in outcomes:
        expected = outcome.reproduction.expected
        if expected is None or outcome.instead:
            continue
        for low, high in (("vanilla", "l1"), ("l1", "bimt")):
            if not {low, high} <= set(outcome.methods):
                continue
            (a, _), (b, _) = (outcome.values("modularity", method) for method in (low, high))
            if expected.table2[low][0] < expected.table2[high][0]:
                holds = "holds" if a < b else "does NOT hold"
            else:
                holds = "is not what the paper reports"
                holds += ", but ours has it" if a < b else ", nor ours"
            names = METHODS[high].title, METHODS[low].title
            lines.append(
                f"{expected.column}: {names[0]} above {names[1]} {holds} ({b:.3f}, {a:.3f})"
            )
    return lines


def _checks(outcomes: Iterable[Outcome]) -> list[str]:
    return [check for outcome in outcomes for check in outcome.reproduction.checks]


def _text(
    outcomes: Sequence[Outcome],
    table: Sequence[Cell],
    pictures: dict[str, list[tuple[str, str]]],
    command: str,
) -> Iterable[str]:
    yield "# The feed-forward paper, reproduced"
    yield (
        '"Seeing Is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability" '
        "(Liu, Gan and Tegmark, Entropy 2024, 26, 41), on the engine of this package. "
        f"Written by `{command}`; do not edit. Trained with {_made_with(outcomes)}, seeds "
        f"{', '.join(map(str, sorted({seed for o in outcomes for seed in o.table.seed})))}."
    )
    yield (
        "Every network is a row of [networks.csv](networks.csv), and every number that the words "
        "below quote a row of [facts.csv](facts.csv). Numbers are means ± standard "
        "deviations over seeds; single pictures show, of the BIMT networks, the first with most of "
        "the structures looked for. Training is chaotic: another processor changes last bits, and "
        "so single networks. Compare statistics."
    )
    for number, title in ((1, "Table 1: loss or accuracy"), (2, "Table 2: Newman modularity")):
        rows = [cell for cell in table if cell.table == number]
        if rows:
            yield f"## {title}"
            yield _markdown(rows)
    yield (
        f"{count_inside(table)} An accuracy is the test accuracy, or the training accuracy where "
        "the paper's number can be no other."
    )
    misses = [cell for cell in table if not cell.inside]
    if misses:
        yield "## Misses"
        yield "\n".join(
            f"- Table {cell.table}, {cell.column}, {METHODS[cell.method].title}: paper "
            f"{cell.paper}, ours {cell.ours}. {_sentence(cell.remark)}"
            for cell in misses
        )
    yield "## Does modularity rise from no penalty to L1 to BIMT?"
    yield "\n".join(f"- {line}" for line in modularity_order(outcomes))
    rates = structure_rates(outcomes)
    if len(rates):
        yield "## Structures, in how many networks"
        yield _rates_markdown(rates)
    for outcome in outcomes:
        reproduction = outcome.reproduction
        yield f"## {reproduction.name}: {reproduction.title} ({reproduction.shows})"
        yield f"Learned: {outcome.data}."
        if reproduction.notes and outcome.published:
            yield "\n".join(f"- {outcome.fill(note)}" for note in reproduction.notes)
        for text in reproduction.texts:
            written = (outcome.run.path / f"{text.name}.txt").read_text("utf-8").rstrip()
            yield f"{text.source}:\n\n```\n{written}\n```"
        for file, source in pictures.get(reproduction.name, []):
            yield f"![{source}]({file})\n*{source}*"


def _made_with(outcomes: Sequence[Outcome]) -> str:
    """The versions of PyTorch, and the processors, that trained them."""
    made = {
        f"PyTorch {noted_versions(outcome.run.path).get('torch', 'unknown')} on "
        f"{outcome.run.experiment.device}"
        for outcome in outcomes
    }
    return ", ".join(sorted(made))


def _markdown(rows: Sequence[Cell]) -> str:
    columns = ["", "method", "paper", "ours", "inside"]
    parts = ["ours, train", "ours, test", "best test in training"] if rows[0].table == 1 else []
    lines = [
        [cell.column, METHODS[cell.method].title, cell.paper, cell.ours]
        + ["yes" if cell.inside else "no"]
        + [cell.plain(part) for part in (cell.train, cell.test, cell.best) if parts]
        for cell in rows
    ]
    return "\n".join(
        f"| {' | '.join(line)} |"
        for line in [[*columns, *parts], ["---"] * len(columns + parts), *lines]
    )


def _rates_markdown(rates: pd.DataFrame) -> str:
    methods = list(dict.fromkeys(rates.method))
    titles = " | ".join(METHODS[m].title for m in methods)
    lines = [
        f"| | structure | {titles} | before training |",
        "|---|---|" + "---|" * (len(methods) + 1),
    ]
    for (experiment, structure), rows in rates.groupby(["experiment", "structure"], sort=False):
        by_method = rows.set_index("method")
        shown = [
            f"{round(by_method.rate[m] * by_method.networks[m])} of {by_method.networks[m]}"
            if m in by_method.index
            else ""
            for m in methods
        ]
        before = rows.untrained.iloc[0]
        shown.append("" if isnan(before) else f"{before:.0%}")
        lines.append(f"| {experiment} | {structure} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
