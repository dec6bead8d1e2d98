"""Checkpoints: weights, places, optimizer, random states and configuration in one file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from brainrnn.errors import InputError
from brainrnn.files import atomic_path

_FORMAT = "brainrnn checkpoint 1"


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write a state (tensors, numbers, strings and containers of them) atomically."""
    with atomic_path(path) as temporary:
        torch.save({"format": _FORMAT, **state}, temporary)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without executing anything that the file contains.

    Raises
    ------
    InputError
        If the file is missing, truncated, or not a checkpoint of this package.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no checkpoint {path}: train first, with `brainrnn train CONFIG`")
    foreign = InputError(
        f"{path} is not a whole brainrnn checkpoint: it is truncated, damaged or of another "
        "program; train again into a new folder"
    )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError:
        raise InputError(f"cannot read {path}: permission denied") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError):
        raise foreign from None
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise foreign
    return state
