"""``brainrnn resume``: an interrupted run goes on, a finished one is trained further."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn import runs
from brainrnn.cli.finish import finish
from brainrnn.cli.options import DATA_DIR, DEVICE, QUIET, RUN


@click.command()
@RUN
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@DEVICE
@DATA_DIR
@QUIET
def resume(run: Path, overrides: tuple[str, ...], device: str | None, quiet: bool) -> None:
    """Continue an interrupted RUN exactly where it stopped, or train a finished one further.

    `brainrnn resume RUN training.steps=9000` goes on to step 9000. What depends on the fraction of
    training (the decay of the learning rate, the schedule of the strength, biases_from) follows
    the new length from here on: a learning rate that has fallen to 0 rises again to what it would
    be at this step of 9000. So the network differs from one that was trained for 9000 steps from
    the start, and config.toml notes it.

    Only keys that leave untouched what was done may change: training.steps, the intervals
    training.log_every, evaluate_every, checkpoint_every and snapshot_every, and analysis.*.
    """
    if overrides:
        runs.amend(run, overrides)
    opened = runs.Run.open(run, device=device)
    if opened.finished:
        step = opened.trainer.step
        click.echo(
            f"{run} has already reached its last step, {step}. To train it further: "
            f"brainrnn resume {run} training.steps={2 * step}"
        )
        return
    finish(opened, quiet=quiet)
