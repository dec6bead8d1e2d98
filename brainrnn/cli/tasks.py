"""``brainrnn tasks``: which tasks there are, and what a trial looks like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brainrnn import plots, runs
from brainrnn.errors import InputError

if TYPE_CHECKING:
    from brainrnn.task import Task

SUITE = click.option("--suite", default="cog20", show_default=True, help="Suite of tasks.")
DT = click.option("--dt", type=float, help="Duration of a step, ms. Default: the suite's own.")


@click.group()
def tasks() -> None:
    """Look at the tasks."""


@tasks.command("list")
@SUITE
@DT
def list_tasks(suite: str, dt: float | None) -> None:
    """List a suite's tasks, the best possible accuracy in each, and what each asks for.

    Of suites that offer many tasks, one at a time or for you to choose, it says which there are.
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
@click.option("--suite", help="Suite of tasks. Default: the first that has such a task.")
@DT
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Which trial to draw."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Picture to write, .png, .svg or .pdf. Default: NAME.png here.",
)
def show_task(name: str, suite: str | None, dt: float | None, seed: int, out: Path | None) -> None:
    """Draw one trial of task NAME: inputs, target and periods."""
    import numpy as np

    from brainrnn.task import Suite

    loaded = _suite_of_one(name, suite or _suite_with(name), dt)
    if not isinstance(loaded, Suite):
        raise InputError(f"the task {name!r} does not unfold in time: nothing to draw")
    trials = loaded.sample(1, np.random.default_rng(seed))
    path = out or Path(f"{name}.png")
    if not path.suffix:
        raise InputError(f"cannot tell the format of the picture {str(path)!r}: end it in .png")
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
