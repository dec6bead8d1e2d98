"""``brainrnn resume``: an interrupted run goes on, a finished one is trained further."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn import runs
from brainrnn.cli.finish import finish
from brainrnn.cli.options import DATA_DIR, DEVICE, QUIET, RUN, TRUST


@click.command()
@RUN
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@DEVICE
@TRUST
@DATA_DIR
@QUIET
def resume(run: Path, overrides: tuple[str, ...], device: str | None, quiet: bool) -> None:
    """Continue RUN where it stopped, or train it further.

    An interrupted run ends with the same network, to the last bit, as one without interruption.

    `brainrnn resume RUN training.steps=9000` trains a finished run up to step 9000. Some settings
    depend on the fraction of training: the decay of the learning rate, the schedule of the
    strength, and biases_from. From here on they follow the new length. A learning rate that has
    fallen to 0 rises again to its value at this step of 9000. So the network differs from one that
    was trained for 9000 steps from the start. A comment in config.toml says so.

    Only these keys may change: training.steps, training.log_every, training.evaluate_every,
    training.checkpoint_every, training.snapshot_every, and analysis.*.
    """
    if overrides:
        runs.amend(run, overrides)
    finish(runs.Run.open(run, device=device), quiet=quiet)
