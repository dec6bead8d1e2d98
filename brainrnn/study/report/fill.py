"""Tables of studies in other pages: filled from CSV files, so that no number is typed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pandas as pd
from pydantic import Field

from brainrnn.config import Settings, build
from brainrnn.errors import InputError, unknown
from brainrnn.files import atomic_path
from brainrnn.study.answers import read_table
from brainrnn.study.report.claims import by_verdict
from brainrnn.study.report.markdown import markdown_table

_BLOCK = re.compile(r"(<!-- fill\n(.*?)-->\n)(.*?)(<!-- end -->)", re.DOTALL)


class Filling(Settings):
    """Which part of which table is shown."""

    file: str
    # Values of a column, in the order in which they are shown.
    rows: dict[str, tuple[str | int | float, ...]] = Field({})
    columns: dict[str, str] | None = None  # and what each is called here
    by_verdict: bool = False  # claims: a row each, networks in the column of their verdict


def fill(page: str | Path) -> Path:
    """Write the tables of a page of Markdown anew, from the files that it names.

    A table stands between two comments. The first says what it is filled from, in TOML::

        <!-- fill
        file = "results/growing_brains/each_method.csv"
        rows = { method = ["BIMT", "L1"] }
        columns = { method = "method", accuracy = "accuracy" }
        -->
        <!-- end -->

    Parameters
    ----------
    page : path
        Files are named from its folder. ``rows`` and ``columns`` may be left out: then all are
        shown. ``by_verdict = true`` shows a claims.csv as the page of its study does.

    Returns
    -------
    path
        The page.

    Raises
    ------
    InputError
        If the page or a file cannot be read, or has no such row or column. The page stays as it
        was.

    Examples
    --------
    >>> page = fill("docs/findings.md")  # doctest: +SKIP
    """
    page = Path(page)
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise InputError(f"cannot read {page}: {getattr(error, 'strerror', error)}") from None
    if text.count("<!-- fill") != len(_BLOCK.findall(text)):
        raise InputError(f"{page}: every '<!-- fill' needs its '-->' and an '<!-- end -->' below")

    def filled(block: re.Match[str]) -> str:
        return f"{block[1]}{_table(page, block[2])}\n{block[4]}"

    with atomic_path(page) as temporary:
        temporary.write_text(_BLOCK.sub(filled, text), encoding="utf-8")
    return page


def _table(page: Path, said: str) -> str:
    try:
        filling = build(Filling, tomllib.loads(said))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{page}: a fill comment is not TOML: {error}") from None
    table = read_table(page.parent / filling.file)
    for column, values in filling.rows.items():
        _require(page, filling.file, column, table)
        parts = [table[table[column] == value] for value in values]
        for value, part in zip(values, parts, strict=True):
            if part.empty:
                raise InputError(
                    f"{page}: {filling.file} has no row whose {column} is {value!r}: it has "
                    f"{', '.join(map(str, table[column].unique()[:12]))}"
                )
        table = pd.concat(parts)
    if filling.by_verdict:
        table = by_verdict(table)
    if filling.columns is not None:
        for column in filling.columns:
            _require(page, filling.file, column, table)
        table = table[list(filling.columns)].rename(columns=filling.columns)
    return markdown_table(table)


def _require(page: Path, file: str, column: str, table: pd.DataFrame) -> None:
    if column not in table:
        raise InputError(f"{page}: {file}: {unknown('column', column, list(map(str, table)))}")
