"""Arrays of numbers in files, and in texts, so that a configuration can hold them itself."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path

import numpy as np
from jaxtyping import Float

from brainrnn.errors import InputError

_PREFIX = "data:application/x-npy;base64,"
_KINDS = (".npy", ".csv")


def is_array(text: str) -> bool:
    """Whether a text names a file of numbers, or is an array itself.

    Examples
    --------
    >>> is_array("sites.csv"), is_array("distances.npy"), is_array("grid")
    (True, True, False)
    """
    return is_data(text) or Path(text).suffix.lower() in _KINDS


def is_data(text: str) -> bool:
    """Whether a text is an array itself, made by :func:`as_data`."""
    return text.startswith(_PREFIX)


def as_data(values: Float[np.ndarray, "row column"]) -> str:
    """An array as a text: a data URL (RFC 2397) that holds a file of NumPy's format.

    Examples
    --------
    >>> text = as_data(np.eye(2))
    >>> read_array(text)
    array([[1., 0.],
           [0., 1.]])
    """
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(values, "<f8"), allow_pickle=False)
    return _PREFIX + base64.b64encode(file.getvalue()).decode()


def read_array(source: str) -> Float[np.ndarray, "row column"]:
    """Read a table of numbers from a file, or from a text that :func:`as_data` made.

    Parameters
    ----------
    source : str
        A ``.npy`` file of two axes; a ``.csv`` file, one row a line, with or without a line of
        names at its head; or a data URL.

    Raises
    ------
    InputError
        If the file is missing or damaged, or is not a table of finite real numbers.
    """
    name = "the stored text" if is_data(source) else f"{source:.200}"
    try:
        if not is_data(source) and Path(source).exists() and not Path(source).is_file():
            raise OSError(0, "it is not a file")  # but a pipe, say, which may never end
        if is_data(source):
            raw = base64.b64decode(source.removeprefix(_PREFIX), validate=True)
            values = np.load(io.BytesIO(raw), allow_pickle=False)
        elif Path(source).suffix.lower() == ".npy":
            values = np.load(source, allow_pickle=False)
        else:
            values = _read_csv(Path(source))
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from None
    except (ValueError, EOFError, binascii.Error) as error:
        reason = f": {error}" if Path(source).suffix.lower() == ".csv" else ": it is damaged"
        raise InputError(f"{name} is not a table of numbers{reason}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise InputError(f"{name} is not a table of real numbers")
    if values.ndim != 2 or not values.size:
        raise InputError(f"{name} has the shape {values.shape}: expected a table, (row, column)")
    values = values.astype(np.float64)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{name} holds {values[row, column]} in row {row + 1}, column {column + 1}: expected "
            "finite numbers"
        )
    return values


def _read_csv(path: Path) -> np.ndarray:
    """Rows of numbers, separated by commas; a first line of names is passed over."""
    with path.open(encoding="utf-8-sig") as file:
        lines = [line.strip() for line in file if line.strip()]
    if lines and not _numbers(lines[0]):
        lines = lines[1:]
    wrong = next((line for line in lines if not _numbers(line)), None)
    if wrong is not None or not lines:
        raise ValueError("it holds no row" if wrong is None else f"it holds the line {wrong!r:.60}")
    rows = [[float(cell) for cell in line.split(",")] for line in lines]
    widths = [len(row) for row in rows]
    uneven = next((i for i, width in enumerate(widths) if width != widths[0]), None)
    if uneven is not None:
        raise ValueError(
            f"its first row has {widths[0]} numbers, row {uneven + 1} has {widths[uneven]}"
        )
    return np.array(rows)


def _numbers(line: str) -> bool:
    try:
        [float(cell) for cell in line.split(",")]
    except ValueError:
        return False
    return True
