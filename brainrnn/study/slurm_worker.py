"""What a Slurm job does for a study: one job after the other, until nobody conducts the study."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from brainrnn.errors import InputError
from brainrnn.files import claim
from brainrnn.runs.stopping import stop_requests
from brainrnn.study.jobs import End, check_worker
from brainrnn.study.signs import Watch
from brainrnn.study.trays import Trays

CONDUCTED = "conducted"  # is claimed by the process that conducts the study
_SOON = 0.5  # seconds between two looks for a job


def work(folder: Path, lamp: Path, needed: Mapping[str, str]) -> None:
    """Do jobs until the lamp goes out, or the cluster says that the time is over.

    Parameters
    ----------
    folder : path
        Of the trays.
    lamp : path
        Of :class:`brainrnn.study.signs.Lamp`.
    needed : mapping
        Versions of the packages of the process that conducts the study.
    """
    from submitit import JobEnvironment

    here = JobEnvironment()
    me = f"{here.job_id}-{here.global_rank}"
    signal.signal(signal.SIGUSR2, lambda *_: os.kill(os.getpid(), signal.SIGTERM))  # time is over
    with stop_requests() as stop:
        watch = Watch(lamp)
        if watch.stopped:
            return
        trays = Trays(folder)
        try:
            check_worker(lamp, dict(needed))
            _check_locks(folder)
        except InputError as error:
            trays.answer(0, error)
            return
        trays.give_back(lambda owner: owner == me)  # of this Slurm job before it was requeued
        while not (stop or watch.stopped):
            if job := trays.take(me):
                _do(trays, me, lamp, *job)
            else:
                time.sleep(_SOON)


def _do(
    trays: Trays,
    me: str,
    lamp: Path,
    number: int,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    """Do a job; if the time is over, another worker goes on from what it saved."""
    try:
        result = function(*arguments)
    except Exception as error:
        traceback.print_exc()  # into the log of the Slurm job
        result = error
    if getattr(result, "end", result) is End.STOPPED and lamp.is_file():
        trays.give_back(lambda owner: owner == me)
    else:
        trays.answer(number, result)


def _check_locks(folder: Path) -> None:
    """Check that a claim on another machine is seen here: else two would train one network.

    Raises
    ------
    InputError
        If the file system's locks hold on one machine only.
    """
    with claim(folder, CONDUCTED) as ours:
        if ours:
            raise InputError(
                f"locks in {folder.parent} hold on one machine only: choose an --out on a file "
                "system with locks that all machines share"
            )
