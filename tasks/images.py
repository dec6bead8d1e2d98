"""Images of handwritten digits: MNIST, and the small ones that come with scikit-learn."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import fetch_openml, load_digits
from sklearn.model_selection import train_test_split

from brainrnn.data import DATA, data_folder
from brainrnn.errors import InputError
from brainrnn.task import Examples
from tasks.fixed import FixedTask, the_one
from tasks.idx import read_idx

_PATIENCE = 20  # seconds without an answer from the network
_TRAINING_IMAGES = 60_000  # of MNIST, which come first
_FILES = {  # of MNIST, with the MD5 of the plain file; other data sets have the same names
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # images and classes, train and test


class MissingDataError(InputError):
    """A data set is neither on this machine nor to be had from the network."""


def images(names: Sequence[str] | None = None) -> FixedTask:
    """Say which digit an image shows; grey values from 0 to 1, squared error from one-hot targets.

    ``mnist`` reads the four IDX files, plain or gzipped, from the folder that the environment
    variable BRAINRNN_DATA names (or ``mnist`` or ``MNIST/raw`` in it); without one, it is
    downloaded from OpenML into scikit-learn's own folder, once. ``digits`` needs neither.

    Parameters
    ----------
    names : sequence of one str
        ``mnist``: 28 x 28 pixels, 60,000 and 10,000 images. ``digits``: 8 x 8 pixels, 1,437 and
        360 images of scikit-learn's ``load_digits``.

    Raises
    ------
    MissingDataError
        If MNIST is not on this machine and cannot be downloaded.
    InputError
        If a file is missing, damaged, or not MNIST's.

    Examples
    --------
    >>> task = images(["digits"])
    >>> task.image, len(task.train), len(task.test)
    ((8, 8), 1437, 360)
    """
    name = the_one("images", names, tuple(_SOURCES))
    description, load, brightest = _SOURCES[name]
    train_images, train_classes, test_images, test_classes = load()

    def examples(pixels: np.ndarray, classes: np.ndarray) -> Examples:
        grey = torch.from_numpy(pixels.reshape(len(pixels), -1).astype(np.float32)).div_(brightest)
        return Examples(grey, torch.from_numpy(classes.astype(np.int64)))

    rows, columns = train_images.shape[1:]
    return FixedTask(
        name,
        description,
        train=examples(train_images, train_classes),
        test=examples(test_images, test_classes),
        n_inputs=rows * columns,
        n_outputs=10,
        output_labels=tuple("0123456789"),
        image=(rows, columns),
        squared=True,
    )


def _mnist() -> Arrays:
    folder = data_folder()
    return _from_files(folder) if folder else _from_network()


@cache
def _from_files(folder: Path) -> Arrays:
    places = [folder, folder / "mnist", folder / "MNIST" / "raw"]
    parts = []
    for name, md5 in _FILES.items():
        found = [place / (name + end) for place in places for end in ("", ".gz")]
        path = next((p for p in found if p.is_file()), None)
        if path is None:
            raise InputError(
                f"no {name}.gz (or {name}) in {folder}: {DATA} or --data-dir must name the folder "
                "with the four IDX files of MNIST"
            )
        parts.append(read_idx(path, md5=md5))
    train, train_classes, test, test_classes = parts
    return train, train_classes, test, test_classes


@cache
def _from_network() -> Arrays:
    try:
        with _impatient(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of retrying; the outcome is said below
            bunch = fetch_openml("mnist_784", version=1, as_frame=False, n_retries=1, delay=0.5)
    except Exception as error:  # sockets, HTTP, parsers and disks each raise their own kinds
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise MissingDataError(
            f"MNIST is not on this machine and could not be downloaded ({reason}): give the folder "
            f"of its IDX files, as --data-dir or {DATA}, or take task.names=['digits']"
        ) from None
    pixels = bunch.data.reshape(-1, 28, 28).astype(np.uint8)
    classes = bunch.target.astype(np.int64)
    n = _TRAINING_IMAGES
    return pixels[:n], classes[:n], pixels[n:], classes[n:]


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a network that does not answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _digits() -> Arrays:
    bunch = load_digits()
    pixels, test_pixels, classes, test_classes = train_test_split(
        bunch.images, bunch.target, test_size=360, random_state=0, stratify=bunch.target
    )
    return pixels, classes, test_pixels, test_classes


_SOURCES: dict[str, tuple[str, Callable[[], Arrays], int]] = {  # with the brightest grey
    "mnist": ("which of MNIST's handwritten digits an image of 28 x 28 pixels shows", _mnist, 255),
    "digits": ("which of scikit-learn's digits an image of 8 x 8 pixels shows", _digits, 16),
}
