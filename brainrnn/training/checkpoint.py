"""Checkpoints: weights, places, optimizer, random states and configuration in one file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import safetensors.torch
import torch
from torch import Tensor, nn

from brainrnn.errors import DamagedError, InputError
from brainrnn.files import atomic_path

_FORMAT, _FORMER = "brainrnn checkpoint 3", "brainrnn checkpoint 2"
_ZIP = b"PK\3\4"  # how a file of torch.save begins
_DIGEST = re.compile(rb'(?<="sha256":")([0-9a-f]{64})(?=")')
_NO_DIGEST = "0" * 64


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write a run's state, whole or not at all, and keep the one before (:func:`previous`).

    The file is a safetensors file, which holds tensors alone and runs no code: ``training/...``,
    ``metrics/...`` by column, and ``rest``, a text in JSON. Its metadata have the SHA-256 of the
    file, counted with 64 zeros in the place of the digest.

    Parameters
    ----------
    path : str or Path
    state : dict
        ``experiment`` (the configuration), ``training`` (see :meth:`Trainer.state_dict`) and
        ``metrics`` (rows): dictionaries, lists, numbers, strings and, of the training, tensors.

    Examples
    --------
    >>> import tempfile
    >>> state = {"experiment": {"seed": 1}, "training": {"step": 5}, "metrics": []}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/checkpoint.safetensors", state)
    ...     load_checkpoint(f"{folder}/checkpoint.safetensors")["training"]
    {'step': 5}
    """
    path, tensors, rest = Path(path), dict[str, Tensor](), dict[str, Any]()
    for name, value in _leaves(state["training"], "training"):
        if isinstance(value, Tensor):
            tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        else:
            rest[name] = value
    metrics = pd.DataFrame(state["metrics"])
    for column, values in metrics.items():
        tensors[f"metrics/{column}"] = torch.from_numpy(values.to_numpy(copy=True))
    text = json.dumps(
        {
            "format": _FORMAT,
            "experiment": state["experiment"],
            "training": rest,
            "metrics": list(metrics),
        }
    )
    tensors["rest"] = torch.frombuffer(bytearray(text, "utf-8"), dtype=torch.uint8)
    content = safetensors.torch.save(tensors, {"sha256": _NO_DIGEST})
    if path.is_file() and _is_whole(path.read_bytes()):  # another is not worth keeping
        _keep(path)
    with atomic_path(path) as temporary:
        temporary.write_bytes(_with_digest(content))


def previous(path: Path) -> Path:
    """Where :func:`save_checkpoint` keeps the checkpoint before.

    Examples
    --------
    >>> previous(Path("checkpoint.safetensors")).name
    'checkpoint.previous.safetensors'
    """
    return path.with_stem(f"{path.stem}.previous")


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without executing anything that the file contains.

    Parameters
    ----------
    path : str or Path
        Of this version, or of the former one, which was written by ``torch.save``.

    Returns
    -------
    dict
        What :func:`save_checkpoint` was given.

    Raises
    ------
    DamagedError
        If the file is truncated or damaged, or not a checkpoint of this package.
    InputError
        If it is missing, cannot be read, or was written by another version.

    Examples
    --------
    >>> load_checkpoint("nowhere/checkpoint.safetensors")
    Traceback (most recent call last):
    ...
    brainrnn.errors.InputError: no checkpoint in nowhere: run `brainrnn resume nowhere`
    """
    path = Path(path)
    if not os.path.lexists(path):
        raise InputError(f"no checkpoint in {path.parent}: run `brainrnn resume {path.parent}`")
    damaged = DamagedError(
        f"{path} is not a whole brainrnn checkpoint: it is truncated, damaged, of another program, "
        "or a link to nothing; copy it again, or train again into a new folder"
    )
    try:
        content = path.read_bytes() if path.is_file() else b""  # of a pipe there is no end
        form, state = _former(content) if content.startswith(_ZIP) else _current(content)
    except PermissionError:
        raise InputError(f"cannot read {path}: permission denied") from None
    except Exception:  # bytes that are no checkpoint fail in any way they like
        raise damaged from None
    if form not in (_FORMAT, _FORMER):
        raise InputError(
            f"{path} was written by another version of brainrnn: train again into a new folder"
        )
    if type(state["training"].get("step")) is not int or not isinstance(state["experiment"], dict):
        raise damaged
    return state


def _current(content: bytes) -> tuple[str, dict[str, Any]]:
    """Format and state of a file of this version."""
    if not _is_whole(content):
        raise ValueError
    tensors = safetensors.torch.load(content)
    rest = json.loads(tensors.pop("rest").numpy().tobytes())
    metrics = {name: tensors.pop(f"metrics/{name}").numpy() for name in rest["metrics"]}
    state: dict[str, Any] = {"training": {}, "experiment": rest["experiment"]}
    for name, value in {**rest["training"], **tensors}.items():
        *folders, last = name.split("/")
        inner = state
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = value
    return rest["format"], state | {"metrics": pd.DataFrame(metrics).to_dict("records")}


def _former(content: bytes) -> tuple[str, dict[str, Any]]:
    """Format and state of a file that ``torch.save`` wrote: a zip archive, not compressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(entry.compress_type for entry in archive.infolist()) or archive.testzip():
            raise ValueError
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    form = state.pop("format")
    if form == _FORMER:
        training = state["training"]
        training["optimizer"] = training["optimizer"]["state"].get(0, {})
    metrics = pd.DataFrame(state["metrics"]).to_dict("records")
    return form, {key: state[key] for key in ("experiment", "training")} | {"metrics": metrics}


def _is_whole(content: bytes) -> bool:
    return _DIGEST.search(content) is not None and _with_digest(content) == content


def _with_digest(content: bytes) -> bytes:
    """A safetensors file with the right digest in its metadata."""
    before, _, after = _DIGEST.split(content, maxsplit=1)
    digest = hashlib.sha256(before)
    for part in (_NO_DIGEST.encode(), after):
        digest.update(part)
    return before + digest.hexdigest().encode() + after


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Everything that lies in nested dictionaries, by the path to it."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{name}/{key}")


def _keep(path: Path) -> None:
    """Give a file its second name; its first one stays until another file takes it."""
    with atomic_path(previous(path)) as temporary:
        temporary.unlink()
        try:
            os.link(path, temporary)
        except OSError:  # not every file system has links
            shutil.copyfile(path, temporary)


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
