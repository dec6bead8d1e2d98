"""Checkpoints: weights, places, optimizer, random states and configuration in one file."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from brainrnn.errors import InputError
from brainrnn.files import atomic_path

_FORMAT = "brainrnn checkpoint 2"


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write a run's state, whole or not at all.

    Parameters
    ----------
    path : str or Path
    state : dict
        ``experiment`` (the configuration), ``training`` (see :meth:`Trainer.state_dict`) and
        ``metrics`` (rows): dictionaries, lists, numbers, strings and tensors.

    Examples
    --------
    >>> import tempfile
    >>> state = {"experiment": {"seed": 1}, "training": {"step": 5}, "metrics": []}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/checkpoint.pt", state)
    ...     load_checkpoint(f"{folder}/checkpoint.pt")["training"]
    {'step': 5}
    """
    written = io.BytesIO()
    torch.save({"format": _FORMAT, **state}, written)
    with atomic_path(path) as temporary:
        temporary.write_bytes(written.getbuffer())


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without executing anything that the file contains.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        What :func:`save_checkpoint` was given, and the ``format`` of the file.

    Raises
    ------
    InputError
        If the file is missing, truncated, or not a checkpoint of this package.

    Examples
    --------
    >>> load_checkpoint("nowhere/checkpoint.pt")
    Traceback (most recent call last):
    ...
    brainrnn.errors.InputError: no checkpoint in nowhere: run `brainrnn resume nowhere`
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"no checkpoint in {path.parent}: run `brainrnn resume {path.parent}`")
    foreign = InputError(
        f"{path} is not a whole brainrnn checkpoint: it is truncated, damaged or of another "
        "program; train again into a new folder"
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch wonders aloud about files of other programs
            state = torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError:
        raise InputError(f"cannot read {path}: permission denied") from None
    except Exception:  # bytes that are no checkpoint fail in any way they like
        raise foreign from None
    whole = {"format", "experiment", "training", "metrics"}
    if not isinstance(state, dict) or state.keys() != whole:
        raise foreign
    if state["format"] != _FORMAT:
        raise InputError(
            f"{path} was written by another version of brainrnn: train again into a new folder"
        )
    return state


def fingerprint(net: nn.Module) -> str:
    """A digest of every weight and place, which tells what was measured on this very network.

    Parameters
    ----------
    net : nn.Module

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> net = nn.Linear(2, 2)
    >>> fingerprint(net) == fingerprint(net), len(fingerprint(net))
    (True, 64)
    """
    digest = hashlib.sha256()
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()
