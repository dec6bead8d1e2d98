"""MNIST from files, whole and damaged; the small digits; what is learned of either."""

import gzip
import hashlib
import importlib
import struct
from urllib.error import URLError

import numpy as np
import pytest
import torch
from sklearn.datasets import _openml, load_digits
from sklearn.utils import Bunch

from brainrnn.data import DATA
from brainrnn.errors import InputError
from tasks import images
from tasks.idx import read_idx
from tasks.images import MissingDataError

FILES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def idx(array):
    """The bytes of an IDX file."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def contents():
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (7, 4)]
    classes = [rng.integers(0, 10, n, dtype=np.uint8) for n in (7, 4)]
    return pixels[0], classes[0], pixels[1], classes[1]


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch):
    """Take the few images of these tests for MNIST."""
    files = {
        f"{name}-ubyte": hashlib.md5(idx(array)).hexdigest()
        for name, array in zip(FILES, contents(), strict=True)
    }
    monkeypatch.setattr(importlib.import_module("tasks.images"), "_FILES", files)


def write(folder, arrays, *, zipped=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(FILES, arrays, strict=True):
        data = idx(array)
        path = folder / f"{name}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(data) if zipped else data)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("inner", [".", "mnist", "MNIST/raw"])
def test_mnist_is_read_from_its_four_files(zipped, inner, tmp_path, monkeypatch):
    arrays = contents()
    write(tmp_path / inner, arrays, zipped=zipped)
    monkeypatch.setenv(DATA, str(tmp_path))
    task = images(["mnist"])
    for part, pixels, classes in ((task.train, *arrays[:2]), (task.test, *arrays[2:])):
        expected = [[value / 255 for row in image for value in row] for image in pixels.tolist()]
        assert torch.equal(part.inputs, torch.tensor(expected))
        assert part.inputs.dtype == torch.float32
        assert part.targets.tolist() == classes.tolist()
    assert (task.image, task.n_inputs, task.n_outputs) == ((28, 28), 784, 10)
    assert (task.positions, task.tokens, task.classes) == (None, False, True)
    assert task.output_labels == tuple("0123456789")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (FILES[0], None, "no train-images-idx3-ubyte.gz .* in .*--data-dir"),
        (FILES[3], None, "no t10k-labels-idx1-ubyte.gz"),
        (FILES[0], b"", "not an IDX file"),
        (FILES[0], b"<html>not found</html>", "not an IDX file"),
        (FILES[0], gzip.compress(idx(contents()[0]))[:-200], "train-images.* is damaged"),
        (FILES[0], idx(contents()[0])[:-1], "should hold 7 x 28 x 28 bytes and holds 5487"),
        (FILES[0], idx(contents()[0]) + b"1", "holds 5489"),
        (FILES[1], idx(contents()[1])[:6], "not an IDX file"),
        (FILES[1], idx(contents()[0]), "labels.* not the file .* of the shape 7 x 28 x 28"),
        (FILES[0], idx(contents()[0][:, 1:]), "not the file .* of the shape 7 x 27 x 28"),
        (FILES[1], idx(contents()[1][1:]), "not the file .* of the shape 6: copy MNIST's"),
        (FILES[0], idx(contents()[0] ^ 1), "not the file .* of the shape 7 x 28 x 28"),
        (FILES[1], struct.pack(">4Bi", 0, 0, 13, 1, 1) + bytes(4), "not an IDX file of bytes"),
        (FILES[1], idx(np.zeros(0, np.uint8)), "not the file .* of the shape 0"),
    ],
)
def test_missing_and_damaged_files_are_one_line(name, content, message, tmp_path, monkeypatch):
    write(tmp_path, contents())
    path = tmp_path / f"{name}-ubyte.gz"
    path.unlink() if content is None else path.write_bytes(content)
    monkeypatch.setenv(DATA, str(tmp_path))
    with pytest.raises(InputError, match=message) as raised:
        images(["mnist"])
    assert "\n" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_idx(tmp_path)


@pytest.fixture
def no_files(monkeypatch):
    """The module, without a folder of data and without what it has downloaded."""
    monkeypatch.delenv(DATA, raising=False)
    module = importlib.import_module("tasks.images")  # the package's attribute is the suite
    module._from_network.cache_clear()
    yield module
    module._from_network.cache_clear()


def test_without_files_mnist_is_downloaded_once(no_files, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 784)).astype(float)
    classes = np.array([str(i % 10) for i in range(70)], dtype=object)
    calls = []

    def fetch(name, **options):
        calls.append((name, options["version"]))
        return Bunch(data=pixels, target=classes)

    monkeypatch.setattr(no_files, "fetch_openml", fetch)
    monkeypatch.setattr(no_files, "_TRAINING_IMAGES", 60)
    task = images(["mnist"])
    assert torch.allclose(task.train.inputs, torch.from_numpy(pixels[:60] / 255).float())
    assert task.test.targets.tolist() == [i % 10 for i in range(60, 70)]
    images(["mnist"])
    assert calls == [("mnist_784", 1)]


def test_without_files_and_network_it_says_what_to_do(no_files, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(_openml, "urlopen", fail)  # scikit-learn's loader is the real one
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"no route to host.*--data-dir.*digits") as raised:
        images(["mnist"])
    assert "\n" not in str(raised.value)


def test_the_small_digits_are_scikit_learns():
    task = images(["digits"])
    bunch = load_digits()
    rows = np.concatenate([task.train.inputs.numpy(), task.test.inputs.numpy()])
    classes = np.concatenate([task.train.targets.numpy(), task.test.targets.numpy()])
    ours = np.column_stack([rows * 16, classes])
    theirs = np.column_stack([bunch.data, bunch.target])
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])
    assert (len(task.train), len(task.test)) == (1437, 360)
    assert np.bincount(task.test.targets).min() >= 34  # every class in its share
    assert torch.equal(task.train.inputs, images(["digits"]).train.inputs)


def test_the_loss_is_the_squared_error_from_one_hot_targets():
    task = images(["digits"])
    outputs = torch.randn(2, len(task.test), 10)
    expected = (outputs - torch.eye(10)[task.test.targets]).square().mean((1, 2))
    assert torch.allclose(task.loss(outputs, task.test), expected)
    right = (outputs.argmax(2) == task.test.targets).float()
    assert torch.equal(task.score(outputs, task.test), right)
    assert task.ceiling().tolist() == [1.0]
