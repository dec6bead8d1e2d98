"""Networks of one method under several settings, told apart."""

from __future__ import annotations

import pandas as pd


def name_settings(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose label says the swept settings too, so that label and seed name one network.

    Parameters
    ----------
    rows : DataFrame
        As a study collects them: a column for every key that is swept, which has a dot in its
        name, and is NaN for methods that do not sweep it.
    """
    label = rows.label.astype(str)
    for key in (column for column in rows.columns if "." in column):
        value = rows[key].map(lambda v: f", {key.split('.')[-1]} {v:g}", na_action="ignore")  # noqa: B023
        label = label + value.fillna("")
    return rows.assign(label=label)
