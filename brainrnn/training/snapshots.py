"""Snapshots: weights and places of a network during training, in NumPy's own format."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.errors import InputError
from brainrnn.files import atomic_path

N = TypeVar("N", bound=PlacedNetwork)


def save_snapshot(folder: Path, net: PlacedNetwork, step: int) -> None:
    """Write every parameter (in single precision) and every place into ``folder``, atomically."""
    state = net.state_dict()
    arrays = {
        name: (value.float() if value.is_floating_point() else value.short()).cpu().numpy()
        for name, value in state.items()
    }
    with atomic_path(folder / f"{step:08d}.npz") as temporary:
        np.savez_compressed(temporary, **arrays)


def load_snapshot(path: Path, net: N) -> tuple[int, N]:
    """Read a snapshot of a network of this kind: (steps done, a copy of it as it was).

    Raises
    ------
    InputError
        If the file is damaged or of another network.
    """
    then = copy.deepcopy(net)
    try:
        with np.load(path) as arrays:
            then.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays})
        return int(path.stem), then
    except Exception:  # NumPy, zipfile and zlib each raise their own kinds for a broken file
        raise InputError(f"{path} is damaged or of another network: delete it") from None
