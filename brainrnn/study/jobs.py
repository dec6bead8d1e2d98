"""What a worker does for a study: train one network, or ask one. It runs in any process."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import torch

from brainrnn.errors import BusyError, InputError
from brainrnn.files import atomic_path, claim
from brainrnn.runs.folder import InterruptedRun, Run
from brainrnn.runs.versions import versions
from brainrnn.study.question import Question
from brainrnn.study.signs import Note, Watch
from brainrnn.study.subject import Cell
from brainrnn.training.loop import Record


class End(Enum):
    """How a job ended."""

    DONE = "done"
    ELSEWHERE = "another process trains the network"
    STOPPED = "stopped; everything so far is saved"


class Ended(NamedTuple):
    """How a job ended, and what it took.

    Attributes
    ----------
    end : End
    seconds : float
    steps : int
        Of training, that it did.
    """

    end: End
    seconds: float = 0.0
    steps: int = 0


def is_trained(network: Path) -> bool:
    """Whether a network's training has reached its last step."""
    return (network / "finished").is_file()


def training_seconds(network: Path) -> float | None:
    """How long the job took that trained a network to its last step; None if nobody knows."""
    try:
        return float((network / "finished").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def steps_done(network: Path) -> int:
    """At which step a network's training was saved, from its metrics; 0 if it has not begun."""
    try:
        with (network / "metrics.csv").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1000))
            return int(float(file.read().splitlines()[-1].split(b",")[0]))
    except (OSError, ValueError, IndexError, OverflowError):
        return 0


def asking(study: str, cell: Cell) -> str:
    """What the note is called of a network that is asked the question of a study."""
    return f"{study}.{cell.name}"


def train(cell: Cell, networks: Path, lamp: Path) -> Ended:
    """Train one network to its last step, from its last checkpoint if there is one.

    Parameters
    ----------
    cell : Cell
    networks : path
        Folder of all trained networks.
    lamp : path
        Of :class:`brainrnn.study.signs.Lamp`; training saves and ends when it goes out.
    """
    watch, path, start = Watch(lamp), networks / cell.training, time.monotonic()
    if watch.stopped:
        return Ended(End.STOPPED)
    with _threads(cell.threads), _named(cell), claim(lamp.parent, cell.training) as ours:
        if not ours:
            return Ended(End.ELSEWHERE)
        if is_trained(path):
            return Ended(End.DONE)
        has_begun = (path / "config.toml").is_file()
        device = cell.experiment.device
        run = Run.open(path, device=device) if has_begun else Run.create(path, cell.trains)
        begun, latest = run.trainer.step, dict[str, float]()
        note = Note(lamp.parent, cell.training, begun=begun)

        def look(record: Record) -> bool:
            for row in record.metrics:
                known = {k: row[k] for k in ("loss", "accuracy") if not math.isnan(row[k])}
                latest.update(known)
            note.write(record.step, latest)
            return watch.stopped

        try:
            run.train(progress=False, callback=look)
        except InterruptedRun:
            return Ended(End.STOPPED)
        except BusyError:  # `brainrnn resume`
            return Ended(End.ELSEWHERE)
        finally:
            note.remove()
        with atomic_path(path / "finished") as temporary:
            temporary.write_text(f"{time.monotonic() - start:.3f}\n", encoding="utf-8")
        return Ended(End.DONE, time.monotonic() - start, run.trainer.step - begun)


def measure(study: Question, cell: Cell, networks: Path, folder: Path, lamp: Path) -> Ended:
    """Ask one network, and keep its answer."""
    if Watch(lamp).stopped:
        return Ended(End.STOPPED)
    note, start = Note(lamp.parent, asking(study.name, cell)), time.monotonic()
    note.write(0, {})
    try:
        with _threads(cell.threads), _named(cell):
            study.ask(cell, networks, folder)
    finally:
        note.remove()
    return Ended(End.DONE, time.monotonic() - start)


def check_worker(lamp: Path, needed: dict[str, str]) -> None:
    """Whether this process can work for a study that another machine conducts.

    Raises
    ------
    InputError
        If it does not see the folder, or has other versions.
    """
    if not lamp.is_file():
        raise InputError(
            f"a worker does not see {lamp.parent.parent}: choose an --out that all machines share"
        )
    here = versions()
    for name, number in needed.items():
        if here.get(name) != number:
            raise InputError(
                f"a worker has {name} {here.get(name)}, this process {number}: install the same "
                "versions"
            )


@contextmanager
def _named(cell: Cell) -> Iterator[None]:
    """Say of an error which network it is about, also to another process."""
    try:
        yield
    except Exception as error:
        error.add_note(f"network {cell.name}")
        raise


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Jobs run side by side, each on one thread, wherever they run: so results are the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
