"""What a shift needs to know of a question: where networks are, and how one of them is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from brainrnn.study.subject import Cell


@runtime_checkable
class Question(Protocol):
    """Something that is asked of many networks; a :class:`brainrnn.study.Study` is one.

    It is pickled for every process that asks a network.
    """

    @property
    def name(self) -> str:
        """What it is called, as a part of file names."""

    def folders(self, out: Path) -> tuple[Path, Path]:
        """In a folder ``out``, that of all trained networks, and that of the answers."""

    def is_answered(self, cell: Cell, folder: Path) -> bool:
        """Whether the answer of a network is kept in the folder of the answers."""

    def ask(self, cell: Cell, networks: Path, folder: Path) -> None:
        """Ask a trained network, and keep its answer."""
