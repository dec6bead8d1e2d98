"""Snapshots: weights and places of a network during training, in NumPy's own format."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile

import numpy as np
import torch

from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.errors import DamagedError
from brainrnn.files import atomic_path

N = TypeVar("N", bound=PlacedNetwork)
_HEAD = 1000  # bytes before the numbers of an array: less than that


def save_snapshot(folder: Path, net: PlacedNetwork, step: int) -> None:
    """Write every parameter (in single precision) and every place into ``folder``, atomically."""
    state = net.state_dict()
    arrays = {
        name: (value.float() if value.is_floating_point() else value.int()).cpu().numpy()
        for name, value in state.items()
    }
    with atomic_path(folder / f"{step:08d}.npz") as temporary:
        np.savez_compressed(temporary, **arrays)


def load_snapshot(path: Path, net: N) -> tuple[int, N]:
    """Read a snapshot of a network of this kind: (steps done, a copy of it as it was).

    Raises
    ------
    DamagedError
        If the file is damaged or of another network.
    """
    then = copy.deepcopy(net)
    like = net.state_dict()
    try:
        with ZipFile(path) as archive:
            # Nothing is unpacked that is larger than what belongs there, and all of it is checked.
            sizes = {
                entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.infolist()
            }
            if any(n > like[name].nbytes + _HEAD for name, n in sizes.items()) or archive.testzip():
                raise ValueError
        with np.load(path) as arrays:
            then.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays})
        return int(path.stem), then
    except Exception:  # NumPy, zipfile and zlib each raise their own kinds for a broken file
        raise DamagedError(f"{path} is damaged or of another network: delete it") from None
