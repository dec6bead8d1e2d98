"""``brainrnn tasks``: which tasks there are, and what a trial looks like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brainrnn import plots, runs
from brainrnn.cli.options import trusting
from brainrnn.errors import InputError

if TYPE_CHECKING:
    from brainrnn.task import Task

SUITE = click.option(
    "--suite", default="cog20", show_default=True, callback=trusting, help="Suite of tasks."
)
DT = click.option("--dt", type=float, help="Duration of a step, ms. Default: the suite's own.")


@click.group()
def tasks() -> None:
    """List the tasks, or draw a trial of one."""


@tasks.command("list")
@SUITE
@DT
def list_tasks(suite: str, dt: float | None) -> None:
    """List the tasks of a suite.

    The list shows the best possible accuracy in each task, and what the task asks for. Some suites
    need task names. For these the command says which names there are.
    """
    loaded = runs.load_suite(runs.TaskSpec(suite=suite, dt=dt))
    width = max(len(name) for name in loaded.names)
    click.echo(f"{'task':<{width}}  best   description")
    for name, best in zip(loaded.names, loaded.ceiling(), strict=True):
        click.echo(f"{name:<{width}}  {best:.3f}  {loaded.descriptions[name]}")
    others = ", ".join(sorted(runs.suites().keys() - {suite}))
    click.echo(f"\nOther suites (--suite): {others}")


@tasks.command("show")
@click.argument("name")
@click.option(
    "--suite",
    callback=trusting,
    help="Suite of tasks. Default: the first that has this task.",
)
@DT
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the trial."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File of the picture: .png, .svg or .pdf. Default: NAME.png in the current folder.",
)
def show_task(name: str, suite: str | None, dt: float | None, seed: int, out: Path | None) -> None:
    """Draw a trial of task NAME: inputs, target, periods."""
    import numpy as np

    from brainrnn.task import Suite

    loaded = _suite_of_one(name, suite or _suite_with(name), dt)
    if not isinstance(loaded, Suite):
        raise InputError(
            f"the task {name!r} has no trials in time: choose a task of a suite such as cog20"
        )
    trials = loaded.sample(1, np.random.default_rng(seed))
    path = out or Path(f"{name}.png")
    if not path.suffix:
        raise InputError(
            f"the picture {str(path)!r} has no format: end its name in .png, .svg or .pdf"
        )
    figure = plots.plot_trial(loaded, trials, 0)
    for written in plots.save_figure(figure, path.with_suffix(""), (path.suffix[1:],)):
        click.echo(written)


def _suite_of_one(name: str, suite: str, dt: float | None) -> Task:
    """A suite of one task."""
    return runs.load_suite(runs.TaskSpec(suite=suite, dt=dt, names=(name,)))


def _suite_with(name: str) -> str:
    """Name of the first suite that has such a task."""
    usual = runs.TaskSpec.model_fields["suite"].default
    refusals = []
    for suite in sorted(runs.suites(), key=lambda suite: (suite != usual, suite)):
        try:
            _suite_of_one(name, suite, None)
        except InputError as refusal:
            refusals.append(refusal)
        else:
            return suite
    raise refusals[0]
