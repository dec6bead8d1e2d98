"""The report of a study: one page, its tables as CSV and its figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainrnn.config import as_toml
from brainrnn.files import atomic_path
from brainrnn.plots import save_figure
from brainrnn.study.fleet import processors
from brainrnn.study.measures import Findings
from brainrnn.study.plan import MethodSpec, Study

_LONG = 24  # rows


def write_report(
    study: Study,
    found: Findings,
    folder: Path,
    *,
    command: str,
    steps: int,
    others: Sequence[str] = (),
    formats: Sequence[str] = ("png", "svg"),
) -> Path:
    """Write README.md, a CSV of every table and the figures; return the page.

    Parameters
    ----------
    study : Study
    found : Findings
    folder : path
    command : str
        What made it.
    steps : int
        Training steps of a network.
    others : sequence of str
        Versions that networks were trained with, where they are not those of now.
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
        with atomic_path(folder / file) as temporary:
            table.to_csv(temporary, index=False)
        parts.append(f"## {headline}\n\n{_shown(table)}\n\n([{file}]({file}))")
    parts.append("## How it was made\n\n" + _how(study, command, steps, others))
    with atomic_path(folder / "study.toml") as temporary:
        temporary.write_text(as_toml(study), encoding="utf-8")
    page = folder / "README.md"
    with atomic_path(page) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return page


def _how(study: Study, command: str, steps: int, others: Sequence[str]) -> str:
    experiment = study.experiment
    seeds = ", ".join(map(str, study.seeds))
    lines = [
        f"Networks of seeds {seeds}, each trained for {steps:,} steps of "
        f"{experiment.training.batch} trials unless its method says otherwise. Everything that "
        "determines them, and the analysis, is in [study.toml](study.toml), which was written "
        "before any of them was measured for it; those that another study had trained already "
        "were taken from it. A controlled p is by Benjamini and Hochberg's procedure over its "
        "table, unless another is named. "
        f"Made on {processors()} processors with the versions in [versions.json](versions.json)"
        + (f", networks also with {', '.join(others)}." if others else "."),
        "| method | |\n|---|---|\n"
        + "\n".join(f"| {m.label} | {_method(m)} |" for m in study.chosen.values()),
    ]
    if command:
        lines.append(f"```\n{command}\n```")
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
