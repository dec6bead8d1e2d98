"""The report of a study: one page as Markdown and as HTML, its tables as CSV and its figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from brainrnn.config import build, read_toml
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.plots import save_figure
from brainrnn.study.answers import Answers, read_table, write_table
from brainrnn.study.measures import Findings
from brainrnn.study.plan import MethodSpec, Study
from brainrnn.study.provenance import Provenance
from brainrnn.study.report.claims import by_verdict, claims_table
from brainrnn.study.report.markdown import cell, markdown_table, plain

CONCLUSIONS = "conclusions.md"
_LONG = 24  # rows


def write_report(
    folder: str | Path, out: str | Path | None = None, *, formats: Sequence[str] = ("png", "svg")
) -> Path:
    """Make the report of a study from what its folder keeps; no network is needed.

    Parameters
    ----------
    folder : path
        With study.toml, networks.csv, items.csv, provenance.json and versions.json, as
        :func:`brainrnn.study.conduct` leaves them; and conclusions.md, if somebody wrote it: what
        the study says, in words.
    out : path, optional
        Where README.md, index.html, a CSV of every table and the figures go, and a copy of what
        the report is made from; by default into the folder itself. A conclusions.md that is there
        is kept.
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
    try:
        study = build(Study, read_toml(folder / "study.toml"))
    except InputError as error:
        raise InputError(
            f"{folder / 'study.toml'} is damaged, or of another version: {error}; run the study "
            "again"
        ) from None
    answers = Answers.read(folder)
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
    if (folder / CONCLUSIONS).is_file() and not (out / CONCLUSIONS).is_file():
        copies[CONCLUSIONS] = _content(folder / CONCLUSIONS)
    try:
        found = measure.findings(answers.rows)
        found.figures |= measure.gallery(answers.rows, portraits)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:  # of any library
        raise InputError(
            f"the tables in {folder} are damaged, or are no answers to what study.toml asks "
            f"({type(error).__name__}: {error!s:.100}); run the study again"
        ) from error
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
    """Write README.md, index.html, a CSV of every table and the figures; return the page.

    Parameters
    ----------
    study : Study
    found : Findings
    folder : path
        Its conclusions.md, if there is one, becomes a part of the page.
    provenance : Provenance
    formats : sequence of str
        Of the figures; the page shows the PNG.
    """
    claims = claims_table(found.claims)
    tables = {"Claims": claims} | found.tables if found.claims else found.tables
    for headline, table in tables.items():
        write_table(table, folder / _file(headline))
    for name, (figure, _) in found.figures.items():
        save_figure(figure, folder / "figures" / name, formats)
    words = folder / CONCLUSIONS
    about = {
        "study": study,
        "conclusions": _content(words).decode().strip() if words.is_file() else "",
        "claims": by_verdict(claims),
        "notes": found.notes,
        "figures": {name: caption for name, (_, caption) in found.figures.items()},
        "tables": [(name, _file(name), table) for name, table in found.tables.items()],
        "long": _LONG,
        "provenance": provenance,
        "methods": {m.label: _differs(m) for m in study.chosen.values()},
    }
    for file, template in (("index.html", "page.html.jinja"), ("README.md", "page.md.jinja")):
        with atomic_path(folder / file) as temporary:
            text = _TEMPLATES.get_template(template).render(about)
            temporary.write_text(text, encoding="utf-8")
    return folder / "README.md"


def _file(headline: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", headline.lower()).strip("_") + ".csv"


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror or error}; run the study again"
        ) from None


def _differs(method: MethodSpec) -> str:
    """How the method's networks differ from the experiment."""
    differs = [f"`{assignment}`" for assignment in method.settings]
    differs += [f"`{key}` in {list(values)}" for key, values in method.sweep.items()]
    if sample := method.sample:
        differs.append(f"{sample.points} points ({sample.sampler}, seed {sample.seed})")
        differs += [f"`{key}` from {text}" for key, text in sample.space.items()]
    differs += [] if method.trained else ["not trained"]
    if method.arrangement != "kept":
        differs.append(f"arranged afterwards ({method.arrangement})")
    return ", ".join(differs) or "as the experiment"


def _html_table(table: pd.DataFrame) -> str:
    return table.to_html(index=False, border=0, formatters=[cell] * table.shape[1])


def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("brainrnn.study.report"),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Any] = {
        "markdown_table": markdown_table,
        "html_table": _html_table,
        "plain": plain,
    }
    made.filters |= filters
    return made


_TEMPLATES = _templates()
