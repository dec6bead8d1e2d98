"""Jobs and their results as files, for workers that share nothing but a folder.

A worker takes a job by renaming its file, which succeeds for one worker alone on every file system.
"""

from __future__ import annotations

import os
import pickle  # nosec B403  # see Trays
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from brainrnn.errors import InputError
from brainrnn.files import atomic_path


class Trays:
    """Three folders of files: what is to do, what is at work and with whom, what is done.

    They hold pickles. Conductor and workers read what they wrote themselves, in a folder that is
    made for one study and goes with it; whoever may write there might as well start a worker.

    Parameters
    ----------
    folder : path
        One that all workers see.

    Examples
    --------
    >>> import tempfile
    >>> trays = Trays(Path(tempfile.mkdtemp()))
    >>> trays.put(1, pow, (2, 5))
    >>> number, function, arguments = trays.take("me")
    >>> trays.take("you")  # there is nothing else to do
    >>> trays.answer(number, function(*arguments))
    >>> list(trays.answers())
    [(1, 32)]
    """

    def __init__(self, folder: Path) -> None:
        self._to_do, self._at_work, self._done = (
            folder / name for name in ("to_do", "at_work", "done")
        )
        for own in (self._to_do, self._at_work, self._done):
            own.mkdir(parents=True, exist_ok=True)

    def put(self, number: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Put a job among those that are to do."""
        with atomic_path(self._to_do / f"{number:08d}") as temporary:
            temporary.write_bytes(pickle.dumps((function, arguments)))

    def take(self, owner: str) -> tuple[int, Callable[..., Any], tuple[Any, ...]] | None:
        """Take the first job that is to do; None if there is none."""
        for path in _files(self._to_do):
            mine = self._at_work / f"{path.name}.{owner}"
            with suppress(FileNotFoundError):  # another worker was faster, or the answer was lost
                path.rename(mine)
            with suppress(FileNotFoundError):
                function, arguments = pickle.loads(mine.read_bytes())  # nosec B301  # its own
                return int(path.name), function, arguments
        return None

    def answer(self, number: int, result: Any) -> None:
        """Give the result of a job, or the error that it raised."""
        try:
            content = pickle.dumps(result)
            pickle.loads(content)  # nosec B301  # its own
        except Exception:  # of errors that are made of more than their words
            content = pickle.dumps(InputError(f"{type(result).__name__}: {result}"))
        with atomic_path(self._done / f"{number:08d}") as temporary:
            temporary.write_bytes(content)

    def answers(self) -> Iterator[tuple[int, Any]]:
        """Each job that is done, once, with its result or its error."""
        for path in _files(self._done):
            result = pickle.loads(path.read_bytes())  # nosec B301  # its own
            for taken in self._at_work.glob(f"{path.name}.*"):
                taken.unlink(missing_ok=True)
            path.unlink()
            yield int(path.name), result

    def give_back(self, left: Callable[[str], bool]) -> None:
        """Put the jobs of owners who have left among those that are to do."""
        for path in _files(self._at_work):
            number, _, owner = path.name.partition(".")
            if left(owner):
                with suppress(FileNotFoundError):
                    path.rename(self._to_do / number)


def _files(folder: Path) -> list[Path]:
    """Files of a folder, in order of their names; hidden ones are not written to their end."""
    os.utime(folder)  # a network file system then looks again
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
