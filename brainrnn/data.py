"""The folder of data sets. It is told to the program and is never part of an experiment."""

from __future__ import annotations

import os
from pathlib import Path

DATA = "BRAINRNN_DATA"  # environment variable


def data_folder() -> Path | None:
    """The folder that the environment variable BRAINRNN_DATA names; None if it is not set."""
    named = os.environ.get(DATA)
    return Path(named) if named else None


def set_data_folder(folder: Path) -> None:
    """Set the folder for this process and the processes that it starts.

    Examples
    --------
    >>> set_data_folder(Path("data"))
    >>> data_folder().name
    'data'
    >>> del os.environ[DATA]  # unset again
    """
    os.environ[DATA] = str(folder)
