"""From what was asked for on the command line to finished runs of experiments."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
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
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.methods import parse_methods
from paper_mlp.outcome import Outcome
from paper_mlp.reproduction import Reproduction, member_methods
from tasks.images import MissingDataError, images


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
    reproduction: Reproduction, opened: Run, *, quiet: bool
) -> tuple[Outcome, dict[str, Any]]:
    """Train a run to its end and write its results.

    Their ``seconds`` are those of the call that reached the last step.
    """
    start = time.perf_counter()
    earlier = Outcome(reproduction, opened).written() if opened.finished else None
    try:
        opened.train(progress=not quiet)
    except InterruptedRun as stopped:
        raise InterruptedRun(str(stopped).replace("brainrnn resume", "paper-mlp resume")) from None
    outcome = Outcome(reproduction, opened, progress=not quiet)
    seconds = time.perf_counter() - start if earlier is None else earlier.get("seconds")
    return outcome, outcome.write(seconds=seconds)


def finish_all(
    chosen: Iterable[Reproduction], choice: Choice, out: Path, *, quiet: bool
) -> Iterator[tuple[Outcome, dict[str, Any]]]:
    """Finish several experiments, in folders of their own under ``out``.

    Raises
    ------
    InputError
        If a folder holds another experiment than the one asked for; nothing is begun then.
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
        asked.append((reproduction, experiment, folder, exists))
    for reproduction, experiment, folder, exists in asked:
        opened = Run.open(folder) if exists else Run.create(folder, experiment)
        outcome = Outcome(reproduction, opened, progress=not quiet)
        written = outcome.written()
        if opened.finished and written is not None:
            yield outcome, written
            continue
        if not quiet:
            click.echo(f"{reproduction.name}: {reproduction.title}", err=True)
        yield finish(reproduction, opened, quiet=quiet)
