"""Networks of one method under several settings, told apart."""

from __future__ import annotations

from functools import partial

import pandas as pd

from brainrnn.study.values import Setting, columns, written


def with_setting(label: str, setting: Setting) -> str:
    """A method's label that says its swept settings too."""
    return label + "".join(_said(key, value) for key, value in setting.items())


def name_settings(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose label says the swept settings too, so that label and seed name one network.

    Parameters
    ----------
    rows : DataFrame
        As a study collects them: a column for every key that is swept, which has a dot in its
        name, and is NaN for methods that do not sweep it.
    """
    label = rows.label.astype(str)
    for key in columns(rows):
        label = label + rows[key].map(partial(_said, key), na_action="ignore").fillna("")
    return rows.assign(label=label)


def _said(key: str, value: object) -> str:
    return f", {key.split('.')[-1]} {written(value)}"
