"""The report of a study: one page, its tables as CSV and its figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainrnn.config import build, read_toml
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.plots import save_figure
from brainrnn.study.answers import Answers, read_table, write_table
from brainrnn.study.measures import Findings
from brainrnn.study.plan import MethodSpec, Study
from brainrnn.study.provenance import Provenance

_LONG = 24  # rows


def write_report(
    folder: str | Path, out: str | Path | None = None, *, formats: Sequence[str] = ("png", "svg")
) -> Path:
    """Make the report of a study from what its folder keeps; no network is needed.

    Parameters
    ----------
    folder : path
        With study.toml, networks.csv, items.csv, provenance.json and versions.json, as
        :func:`brainrnn.study.conduct` leaves them.
    out : path, optional
        Where README.md, a CSV of every table and the figures go, and a copy of what the report is
        made from; by default into the folder itself.
    formats : sequence of str
        Of the figures; the page shows the PNG.

    Returns
    -------
    path
        The page.

    Raises
    ------
    InputError
        If a file is missing or damaged.

    Examples
    --------
    >>> page = write_report("runs/studies/growing_brains")  # doctest: +SKIP
    """
    folder = Path(folder)
    out = folder if out is None else Path(out)
    if not (folder / "study.toml").is_file():
        raise InputError(f"{folder} is not the folder of a study: it has no study.toml")
    study, answers = build(Study, read_toml(folder / "study.toml")), Answers.read(folder)
    provenance, measure = Provenance.read(folder), study.measure
    portraits = {name: read_table(folder / f"{name}.csv") for name in measure.drawn}
    tables = {"networks": answers.networks, "items": answers.items} | portraits
    for name, table in tables.items():
        if len(table) != (known := provenance.rows.get(name, len(table))):
            raise InputError(
                f"{folder / name}.csv has {len(table)} rows, and had {known}: it is damaged; run "
                "the study again"
            )
    copies = {file: _content(folder / file) for file in ("study.toml", "versions.json")}
    found = measure.findings(answers.rows)
    found.figures |= measure.gallery(answers.rows, portraits)
    if out != folder:
        answers.write(out)
        for name, table in portraits.items():
            write_table(table, out / f"{name}.csv")
        provenance.write(out)
        for file, content in copies.items():
            with atomic_path(out / file) as temporary:
                temporary.write_bytes(content)
    return write_page(study, found, out, provenance=provenance, formats=formats)


def write_page(
    study: Study,
    found: Findings,
    folder: Path,
    *,
    provenance: Provenance,
    formats: Sequence[str] = ("png", "svg"),
) -> Path:
    """Write README.md, a CSV of every table and the figures; return the page.

    Parameters
    ----------
    study : Study
    found : Findings
    folder : path
    provenance : Provenance
    formats : sequence of str
        Of the figures; the page shows the PNG.
    """
    parts = [f"# {study.title}"]
    if study.text:
        parts.append(study.text.strip())
    if found.words:
        parts.append("## What was found\n\n" + "\n".join(f"- {line}" for line in found.words))
    for name, (figure, caption) in found.figures.items():
        save_figure(figure, folder / "figures" / name, formats)
        parts.append(f"![{name}](figures/{name}.png)\n\n*{caption}*")
    for headline, table in found.tables.items():
        file = f"{_slug(headline)}.csv"
        write_table(table, folder / file)
        parts.append(f"## {headline}\n\n{_shown(table)}\n\n([{file}]({file}))")
    parts.append("## How it was made\n\n" + _how(study, provenance))
    page = folder / "README.md"
    with atomic_path(page) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return page


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror or error}; run the study again"
        ) from None


def _how(study: Study, provenance: Provenance) -> str:
    experiment = study.experiment
    seeds = ", ".join(map(str, study.seeds))
    others = ", ".join(provenance.others)
    lines = [
        f"Networks of seeds {seeds}, each trained for {experiment.training.steps:,} steps of "
        f"{experiment.training.batch} trials unless its method says otherwise. Everything that "
        "determines them, and the analysis, is in [study.toml](study.toml), which was written "
        "before any of them was measured for it; those that another study had trained already "
        "were taken from it. A controlled p is by Benjamini and Hochberg's procedure over its "
        "table, unless another is named. "
        f"Made on {provenance.processors} processors with the versions in "
        "[versions.json](versions.json)" + (f", networks also with {others}." if others else "."),
        "| method | |\n|---|---|\n"
        + "\n".join(f"| {m.label} | {_method(m)} |" for m in study.chosen.values()),
        "The answers of all networks are in [networks.csv](networks.csv) and "
        "[items.csv](items.csv). `brainrnn study report FOLDER` makes this page from them again.",
    ]
    if provenance.command:
        lines.append(f"```\n{provenance.command}\n```")
    return "\n\n".join(lines)


def _method(method: MethodSpec) -> str:
    """How the method's networks differ from the experiment."""
    differs = [f"`{assignment}`" for assignment in method.settings]
    differs += [f"`{key}` in {list(values)}" for key, values in method.sweep.items()]
    differs += [] if method.trained else ["not trained"]
    if method.arrangement != "kept":
        differs.append(f"arranged afterwards ({method.arrangement})")
    return ", ".join(differs) or "as the experiment"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _shown(table: pd.DataFrame) -> str:
    """Long tables are folded, so that the page can be read."""
    text = _markdown(table)
    if len(table) <= _LONG:
        return text
    return f"<details>\n<summary>{len(table)} rows</summary>\n\n{text}\n\n</details>"


def _markdown(table: pd.DataFrame) -> str:
    head = "| " + " | ".join(str(column) for column in table.columns) + " |"
    rule = "|" + "---|" * table.shape[1]
    body = ["| " + " | ".join(map(_cell, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join([head, rule, *body])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "-" if pd.isna(value) else f"{value:g}" if value.is_integer() else f"{value:.3g}"
    return str(value)
