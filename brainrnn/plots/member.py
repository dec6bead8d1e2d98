"""One network of a dataset or a table, and what a picture needs of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool

from brainrnn.errors import InputError


def one_member(data: xr.Dataset, member: int, *needed: str) -> xr.Dataset:
    """Select one network of a dataset; a dataset without a member axis is one network.

    Parameters
    ----------
    data : Dataset
    member : int
        Which network.
    *needed : str
        Variables that the picture cannot do without.

    Returns
    -------
    Dataset
        Without the member axis.

    Raises
    ------
    InputError
        If the network or a variable is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> data = xr.Dataset({"position": (("member", "unit", "space"), [[[0.0], [1.0]]])})
    >>> dict(one_member(data, 0, "position").sizes)
    {'unit': 2, 'space': 1}
    >>> one_member(data, 0, "weight")
    Traceback (most recent call last):
        ...
    brainrnn.errors.InputError: this picture needs weight, which the dataset lacks: it has position
    """
    members = data.sizes.get("member", 1)
    if not -members <= member < members:
        raise InputError(f"network {member} does not exist: choose 0 to {members - 1}")
    _check(needed, data.data_vars, "dataset")
    return data.isel(member=member) if "member" in data.dims else data


def is_active(one: xr.Dataset) -> Bool[np.ndarray, " unit"]:
    """Neurons that are active; if nothing says so, those with a module, or all."""
    if "active" in one:
        return one.active.values.astype(bool)
    if "module" in one:
        return one.module.values >= 0
    return np.ones(one.sizes["unit"], bool)


def check_columns(table: pd.DataFrame, *needed: str) -> None:
    """See that a table has the columns that a picture needs.

    Raises
    ------
    InputError
        If one is missing.
    """
    _check(needed, table.columns, "table")


def _check(needed: tuple[str, ...], there: Iterable[object], what: str) -> None:
    names = [str(name) for name in there]
    missing = [name for name in needed if name not in names]
    if missing:
        raise InputError(
            f"this picture needs {' and '.join(missing)}, which the {what} lacks: it has "
            f"{', '.join(names) or 'nothing'}"
        )
