"""What can go wrong: bad input, training that diverges, training that is asked to stop."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input from the user: one line that says what was wrong, what was expected, what to do.

    The command line prints the message alone and exits with status 2; from Python it is an
    ordinary ``ValueError``.

    Examples
    --------
    >>> import brainrnn as br
    >>> try:
    ...     br.TrainingSpec(steps=0)
    ... except br.InputError as error:
    ...     print(error)
    steps: input should be greater than or equal to 1, got 0
    """


class DamagedError(InputError):
    """A file that this package wrote is not what it was.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import brainrnn as br
    >>> file = pathlib.Path(tempfile.mkdtemp(), "brain.nc")
    >>> _ = file.write_text("something else")
    >>> try:
    ...     br.analysis.load(file)
    ... except DamagedError:
    ...     print("run the analysis again")
    run the analysis again
    """


class DivergedError(RuntimeError):
    """The loss, or a weight, became NaN or infinite.

    Examples
    --------
    >>> import brainrnn as br
    >>> task = br.runs.load_suite(br.runs.TaskSpec(suite="two_moons"))
    >>> net = br.MLP.on_lines(2, 2)
    >>> try:
    ...     br.train(net, task, steps=9, learning_rate=1e38, clip=0, progress=False)
    ... except br.DivergedError:
    ...     print("lower the learning rate")
    lower the learning rate
    """


class BusyError(InputError):
    """Another process trains the run."""


class InterruptedRun(Exception):
    """Training of a run was asked to stop, by Ctrl-C for example; everything is saved.

    Attributes
    ----------
    signal : int
        The request. It is SIGINT, that of Ctrl-C, where a callback asked.

    Examples
    --------
    >>> import tempfile
    >>> import brainrnn as br
    >>> experiment = br.runs.Experiment(task={"names": ["go"]}, network={"shape": [3, 3]})
    >>> run = br.Run.create(tempfile.mkdtemp() + "/run", experiment)
    >>> try:
    ...     run.train(progress=False, callback=lambda record: record.step == 2)
    ... except br.InterruptedRun:
    ...     print(run.trainer.step)
    2
    """

    def __init__(self, message: str, signal: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.signal = signal


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """One line for a name that nobody knows: the nearest known one, or all if none is near.

    Examples
    --------
    >>> unknown("task", "goo", ["go", "dms"])
    "unknown task 'goo': did you mean 'go'?"
    """
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if near:
        return f"unknown {what} {name!r:.100}: did you mean {near[0]!r}?"
    return f"unknown {what} {name!r:.100}: choose one of {', '.join(names)}"
