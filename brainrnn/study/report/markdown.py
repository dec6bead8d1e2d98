"""Tables in Markdown, and how a cell of a page is written."""

from __future__ import annotations

import re

import pandas as pd

_TAG = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_ADDRESS = re.compile(r"(javascript|vbscript)\s*(?::|&colon;|&#0*58;?|&#x0*3a;?)", re.IGNORECASE)


def markdown_table(table: pd.DataFrame) -> str:
    """A table in Markdown.

    Examples
    --------
    >>> print(markdown_table(pd.DataFrame({"method": ["BIMT"], "z": [-3.4567]})))
    | method | z |
    |---|---|
    | BIMT | -3.46 |
    """
    rows = [map(cell, row) for row in table.itertuples(index=False)]
    lines = [[_in_cell(one) for one in row] for row in (map(str, table.columns), *rows)]
    rule = "|" + "---|" * table.shape[1]
    head, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([head, rule, *body])


def cell(value: object) -> str:
    """A value as a page shows it: three digits, a dash where there is none.

    Examples
    --------
    >>> [cell(value) for value in (True, 12345, 0.98765, 2.0, float("nan"), "L1")]
    ['yes', '12345', '0.988', '2', '-', 'L1']
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "-" if pd.isna(value) else f"{value:g}" if value.is_integer() else f"{value:.3g}"
    return str(value)


def plain(text: str) -> str:
    """Text that cannot begin a tag, nor be the address of a link that runs code.

    Examples
    --------
    >>> plain("<b>L1</b> [more](javascript:alert)")
    '&lt;b>L1&lt;/b> [more](javascript&#58;alert)'
    """
    return _ADDRESS.sub(r"\1&#58;", _TAG.sub("&lt;", text))


def _in_cell(text: str) -> str:
    """Text that cannot end a cell either."""
    return plain(text.replace("<", "&lt;")).replace("|", "\\|").replace("\n", " ")
