"""Tables over networks: one row for each group of them, and how a cell of several is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd


def summarise(
    rows: pd.DataFrame,
    by: Mapping[str, str],
    describe: Callable[[pd.DataFrame], Mapping[str, object]],
) -> pd.DataFrame:
    """One row for each group of rows: its names, and what describes it.

    Parameters
    ----------
    rows : DataFrame
    by : dict
        Columns that make a group, and what the table calls them.
    describe : function
        The other cells of a group's row, by column.

    Returns
    -------
    DataFrame
        Groups in the order in which they first appear.

    Examples
    --------
    >>> rows = pd.DataFrame({"label": ["L1", "L1", "BIMT"], "z": [-1.0, -2.0, -4.0]})
    >>> summarise(rows, {"label": "method"}, lambda group: {"mean z": group.z.mean()})
      method  mean z
    0     L1    -1.5
    1   BIMT    -4.0
    """
    return pd.DataFrame(
        [
            dict(zip(by.values(), names, strict=True)) | dict(describe(group))
            for names, group in rows.groupby(list(by), sort=False)
        ]
    )


def spread(
    rows: pd.DataFrame, index: Sequence[str], columns: str, values: str | list[str]
) -> pd.DataFrame:
    """One column for each value of a column, as ``DataFrame.pivot``, nothing sorted.

    Parameters
    ----------
    rows : DataFrame
    index : sequence of str
        Columns that name a row of the table.
    columns : str
        The column whose values become columns.
    values : str or list of str
        What the cells hold. Of several, a column is called by both: ``z isolated``.

    Returns
    -------
    DataFrame
        Rows, and the columns of one quantity, in the order in which they first appear.
    """
    wide = rows.pivot(index=list(index), columns=columns, values=values)
    if isinstance(values, str):
        wide = wide[list(rows[columns].drop_duplicates())].rename_axis(columns=None)
    else:
        wide.columns = wide.columns.map(" ".join)
    order = rows[list(index)].drop_duplicates()
    return order.join(wide, on=list(index)).reset_index(drop=True)


def mean_sd(values: pd.Series, digits: int = 3) -> str:
    """Mean ± standard deviation; NaN is left out, and a dash stands for nothing at all.

    Examples
    --------
    >>> mean_sd(pd.Series([1.0, 2.0, float("nan")]))
    '1.500 ± 0.707'
    """
    known = values.dropna()
    if known.empty:
        return "-"
    spread = f" ± {known.std():.{digits}f}" if len(known) > 1 else ""
    return f"{known.mean():.{digits}f}{spread}"


def count(which: pd.Series) -> str:
    """How many of a truth value's rows are true.

    Examples
    --------
    >>> count(pd.Series([True, False, True]))
    '2 of 3'
    """
    return f"{which.sum()} of {len(which)}"


def median_range(values: pd.Series) -> str:
    """Median (least to greatest).

    Examples
    --------
    >>> median_range(pd.Series([-3.0, -1.0, 0.5]))
    '-1.0 (-3.0 to 0.5)'
    """
    return f"{values.median():.1f} ({values.min():.1f} to {values.max():.1f})"
