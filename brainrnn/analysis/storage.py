"""Keep an analysis in a NetCDF file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import xarray as xr

from brainrnn.analysis.brain import TITLE as WHOLE
from brainrnn.analysis.feedforward.assessment import TITLE
from brainrnn.analysis.map_statistics import TITLE as MAP_STATISTICS
from brainrnn.analysis.recorded import TITLE as RECORDED
from brainrnn.errors import DamagedError, InputError
from brainrnn.files import atomic_path

_SEAL = b"\nsha256 "
_VARIABLES = {
    WHOLE: {
        "task_variance",
        "active",
        "module",
        "position",
        "accuracy",
        "null",
        "p",
    },
    TITLE: {"train_loss", "test_loss", "modularity"},
    RECORDED: {"active"},
    MAP_STATISTICS: {"observed", "p"},
}


def save(brain: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write an analysis to a NetCDF file, whole or not at all.

    After the end of what NetCDF reads comes a line with the SHA-256 of it, which :func:`load`
    compares.

    Parameters
    ----------
    brain : Dataset
        As from :func:`analyse`, :func:`analyse_recorded`, :func:`map_statistics` or
        :func:`assess`.
    path : path
        Replaced if it exists.

    Raises
    ------
    InputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> brain = br.analyse_recorded(weights=[[0.0, 1.0], [0.5, 0.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(brain, f"{folder}/brain.nc")
    ...     load(f"{folder}/brain.nc").equals(brain)
    True
    """
    compress = {
        name: {"zlib": True, "complevel": 4} for name in ("null", "weight") if name in brain
    }
    with atomic_path(Path(path)) as temporary:
        brain.to_netcdf(temporary, engine="h5netcdf", encoding=compress)
        content = temporary.read_bytes()
        temporary.write_bytes(content + _seal(content))


def load(path: str | os.PathLike[str], *titles: str) -> xr.Dataset:
    """Read an analysis back into memory.

    Parameters
    ----------
    path : path
        Written by :func:`save`.
    *titles : str
        Of the kinds of analysis that it may be; any if none is given.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If there is no such file.
    DamagedError
        If it is not such an analysis, not complete, or damaged.

    Examples
    --------
    >>> load("nowhere.nc")
    Traceback (most recent call last):
    ...
    brainrnn.errors.InputError: no analysis at nowhere.nc: run the analysis of that network first
    """
    if not Path(path).is_file():
        raise InputError(f"no analysis at {path}: run the analysis of that network first")
    try:
        content, seal = _parted(Path(path).read_bytes())
        whole = not seal or seal == _seal(content)  # files of former versions have none
        brain = xr.load_dataset(path, engine="h5netcdf") if whole else xr.Dataset()
        title = brain.attrs["title"]
        known = title in (titles or _VARIABLES) and set(brain) >= _VARIABLES[title]
    except Exception:  # h5netcdf, HDF5 and xarray each raise their own kinds for a broken file
        known = False
    if not known:
        raise DamagedError(f"{path} is not a complete brainrnn analysis: run the analysis again")
    return brain


def _seal(content: bytes) -> bytes:
    return _SEAL + hashlib.sha256(content).hexdigest().encode() + b"\n"


def _parted(content: bytes) -> tuple[bytes, bytes]:
    """What NetCDF reads of a file, and the seal after it."""
    head, seal, digest = content.rpartition(_SEAL)
    return (head, seal + digest) if seal else (content, b"")
