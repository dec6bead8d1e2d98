"""From what was asked for on the command line to finished runs of experiments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from brainrnn.config import as_toml
from brainrnn.data import data_folder
from brainrnn.errors import InputError, unknown
from brainrnn.files import atomic_path
from brainrnn.runs.experiment import Experiment
from brainrnn.runs.folder import InterruptedRun, Run
from brainrnn.study.conducting import conducting
from brainrnn.study.jobs import training_seconds
from brainrnn.study.shift import Shift
from brainrnn.study.subject import Cell
from brainrnn.study.workers import Place
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.methods import parse_methods
from paper_mlp.outcome import Outcome, results_in
from paper_mlp.reproduction import Reproduction, member_methods
from tasks.images import MissingDataError, images


@dataclass(frozen=True)
class Asked:
    """A run that was asked for."""

    reproduction: Reproduction
    experiment: Experiment
    folder: Path

    def cell(self, threads: int | None) -> Cell:
        """It as a network of a study: all methods and seeds are members of this one."""
        reproduction, experiment = self.reproduction, self.experiment
        return Cell(
            reproduction.name,
            reproduction.title,
            experiment.seed,
            experiment,
            folder=self.folder.name,
            threads=threads,
        )


@dataclass(frozen=True)
class Results:
    """The question that is put to each run: what are its results? They are kept in its folder."""

    again: bool = False
    name: str = "paper"

    def folders(self, out: Path) -> tuple[Path, Path]:
        """Runs lie beside each other, and results in them."""
        return out, out

    def is_answered(self, cell: Cell, folder: Path) -> bool:
        """Whether its results were written."""
        return not self.again and results_in(folder / cell.training) is not None

    def ask(self, cell: Cell, networks: Path, folder: Path) -> None:
        """Measure, draw and write."""
        run = Run.open(networks / cell.training, device=cell.experiment.device)
        if self.again:
            run.analyse(progress=False)
        earlier = results_in(run.path)
        known = training_seconds(run.path) if earlier is None else earlier.get("seconds")
        Outcome(EXPERIMENTS[cell.method], run).write(seconds=known)


@dataclass(frozen=True)
class Choice:
    """What the options ask of an experiment; None is the experiment's own."""

    settings: str
    seeds: int | None
    methods: str | None
    steps: int | None
    data: str | None

    def experiment(
        self, reproduction: Reproduction, existing: Experiment | None = None
    ) -> Experiment:
        """The configuration of its run; where the data are left open, that of an existing run."""
        variants = reproduction.variants(
            self.settings,
            reproduction.methods if self.methods is None else parse_methods(self.methods),
            self.seeds or reproduction.seeds,
            steps=self.steps,
        )
        if len(variants) > 1 and self.data == "digits":
            return variants[1]
        if len(variants) == 1 or self.data == "mnist" or data_folder() is not None:
            return variants[0]
        if existing is not None and existing in variants:
            return existing
        return variants[0] if mnist_is_here() else variants[1]

    def __str__(self) -> str:
        """The options as they were typed."""
        return " ".join(f"--{k} {v}" for k, v in vars(self).items() if v is not None)


def configurations() -> dict[str, str]:
    """Every experiment with either settings, as a configuration file: name and text."""
    return {
        f"{name}-{settings}.toml": f"# {reproduction.shows}: the same as `paper-mlp run {name} "
        f"--settings {settings}`.\n\n"
        + as_toml(reproduction.experiment(settings, reproduction.methods, reproduction.seeds))
        for name, reproduction in EXPERIMENTS.items()
        for settings in reproduction.recipes
    }


@cache
def mnist_is_here() -> bool:
    """Whether MNIST is on this machine or can be downloaded; says so if not."""
    try:
        images(["mnist"])
    except MissingDataError as missing:
        click.echo(f"{missing}. Taking scikit-learn's small digits instead.", err=True)
        return False
    return True


def require_folder(folder: Path) -> None:
    """Make a folder, before hours are spent on what is to be written there.

    Raises
    ------
    InputError
        If it cannot be made or written.
    """
    with atomic_path(folder / "probe") as temporary:
        temporary.touch()
    (folder / "probe").unlink()


def find(name: str) -> Reproduction:
    """The experiment of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in EXPERIMENTS:
        raise InputError(unknown("experiment", name, EXPERIMENTS))
    return EXPERIMENTS[name]


def reproduction_of(opened: Run) -> Reproduction:
    """The experiment that a run reproduces; its training may be longer or shorter.

    Raises
    ------
    InputError
        If the run differs from it otherwise.
    """
    experiment = opened.experiment
    name, _, settings = experiment.name.partition(" ")
    reproduction = EXPERIMENTS.get(name)
    starts = experiment.network.starts
    if reproduction is not None and settings in reproduction.recipes and starts:
        with suppress(InputError):
            methods = list(dict.fromkeys(member_methods(experiment)))
            for like in reproduction.variants(settings, methods, len(set(starts))):
                if like.model_copy(update={"training": experiment.training}) == experiment:
                    return reproduction
    raise InputError(
        f"{opened.path} is not a run of `paper-mlp`: use `brainrnn resume {opened.path}`"
    )


def finish(
    asked: Sequence[Asked],
    *,
    again: bool = False,
    quiet: bool = False,
    on: Place = "serial",
    **place: Any,
) -> list[Outcome]:
    """Train runs to their end and write the results of each, several at once where there is room.

    A run is claimed by the process that trains it, as every network of a study is.

    Parameters
    ----------
    asked : sequence of Asked
        Their folders lie side by side.
    again : bool
        Whether to measure and draw also those that have results.
    quiet : bool
        Whether to show no progress bars.
    on, **place
        Where, as of :func:`brainrnn.study.conducting.conducting`.

    Raises
    ------
    InterruptedRun
        On Ctrl-C or a request to terminate; everything is saved.
    """
    out = asked[0].folder.parent.absolute()
    question, threads = Results(again), None if on == "serial" else 1
    cells = [one.cell(threads) for one in asked]
    if not all(question.is_answered(cell, out) for cell in cells):
        with conducting(out, on=on, preload=["paper_mlp.session"], **place) as (crew, lamp, stop):
            shift = Shift(question, cells, out, crew, lamp, stop)
            shift.work(progress=not quiet)
        if shift.stopped:
            raise InterruptedRun(_stopped(asked), shift.request)
    outcomes = [Outcome(one.reproduction, Run.open(one.folder)) for one in asked]
    for outcome in outcomes:
        outcome.progress = not quiet
    return outcomes


def _stopped(asked: Sequence[Asked]) -> str:
    if len(asked) > 1:
        return "stopped, everything is saved; continue with the same command"
    folder, steps = asked[0].folder, asked[0].experiment.training.steps
    return (
        f"stopped at step {Run.open(folder).saved_step} of {steps}, everything is saved; continue "
        f"with `paper-mlp resume {folder}`"
    )


def ask_for(chosen: Iterable[Reproduction], choice: Choice, out: Path) -> list[Asked]:
    """Runs of several experiments, in folders of their own under ``out``.

    Raises
    ------
    InputError
        If a folder holds another experiment than the one asked for.
    """
    asked = []
    for reproduction in chosen:
        folder = out / f"{reproduction.name}-{choice.settings}"
        exists = (folder / "config.toml").is_file()
        existing = Run.open(folder).experiment if exists else None
        experiment = choice.experiment(reproduction, existing)
        if exists and existing != experiment:
            others = existing is not None and existing.task != experiment.task
            raise InputError(
                f"{folder} holds a run with other {'data (see --data)' if others else 'settings'}: "
                "choose another --out, or delete it"
            )
        asked.append(Asked(reproduction, experiment, folder))
    return asked
