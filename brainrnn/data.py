"""Where data sets lie: a folder that is told to the program, never part of an experiment."""

from __future__ import annotations

import os
from pathlib import Path

DATA = "BRAINRNN_DATA"  # environment variable


def data_folder() -> Path | None:
    """The folder that the environment variable BRAINRNN_DATA names, if it names one."""
    named = os.environ.get(DATA)
    return Path(named) if named else None


def set_data_folder(folder: Path) -> None:
    """Name the folder for this process and those that it starts."""
    os.environ[DATA] = str(folder)
