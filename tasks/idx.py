"""The IDX files in which MNIST is handed around, plain or gzipped (LeCun, Cortes & Burges 1998)."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from brainrnn.errors import InputError

_UNSIGNED_BYTE = 8  # the code of the type of MNIST's numbers


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of unsigned bytes.

    Two zero bytes, the code of a type, the number of dimensions, the size of each (four bytes, the
    most significant first), then the numbers, the last dimension fastest.

    Raises
    ------
    InputError
        If the file cannot be read, is not IDX, or holds more or fewer numbers than it says.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is damaged: copy it again") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
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
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
