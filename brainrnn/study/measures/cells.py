"""How the numbers of several networks are written in one cell of a table."""

from __future__ import annotations

import pandas as pd


def mean_sd(values: pd.Series, digits: int = 3) -> str:
    """Mean ± standard deviation; NaN is left out, and a dash stands for nothing at all."""
    known = values.dropna()
    if known.empty:
        return "-"
    spread = f" ± {known.std():.{digits}f}" if len(known) > 1 else ""
    return f"{known.mean():.{digits}f}{spread}"


def median_range(values: pd.Series) -> str:
    """Median (least to greatest)."""
    return f"{values.median():.1f} ({values.min():.1f} to {values.max():.1f})"
