"""The IDX files in which MNIST is handed around, plain or gzipped (LeCun, Cortes & Burges 1998)."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from brainrnn.errors import InputError

_UNSIGNED_BYTE = 8  # the code of the type of MNIST's numbers
_LARGEST = 1 << 26  # bytes; a gzipped file can unfold to a thousand times its size


def read_idx(path: Path, *, md5: str | None = None) -> UInt8[np.ndarray, "*shape"]:
    """Read an IDX file of unsigned bytes.

    Two zero bytes, the code of a type, the number of dimensions, the size of each (four bytes, the
    most significant first), then the numbers, the last dimension fastest.

    Parameters
    ----------
    path : Path
        Plain or gzipped.
    md5 : str, optional
        Of the plain file that it should be.

    Raises
    ------
    InputError
        If the file cannot be read, is not IDX, holds more or fewer numbers than it says, or is
        another than it should be.
    """
    try:
        with path.open("rb") as file:
            zipped = file.peek(2)[:2] == b"\x1f\x8b"
            plain = gzip.GzipFile(fileobj=file) if zipped else file
            content = plain.read(_LARGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is damaged: copy it again") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if len(content) > _LARGEST:
        raise InputError(
            f"{path} holds more than {_LARGEST >> 20} MiB, where MNIST's largest file holds 45: "
            "copy it again"
        )
    dimensions = content[3] if len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if content[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or not dimensions or len(content) < start:
        raise InputError(f"{path} is not an IDX file of bytes, as MNIST's are: copy it again")
    shape = [int(n) for n in np.frombuffer(content, ">u4", dimensions, offset=4)]
    expected = int(np.prod(shape, dtype=object))
    if len(content) - start != expected:
        raise InputError(
            f"{path} should hold {' x '.join(map(str, shape))} bytes and holds "
            f"{len(content) - start}: copy it again"
        )
    if md5 is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise InputError(
            f"{path} is not the file of that name that belongs to MNIST, but holds other data of "
            f"the shape {' x '.join(map(str, shape))}: copy MNIST's"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
