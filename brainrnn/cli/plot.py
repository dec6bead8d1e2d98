"""``brainrnn plot``: the figures of a run."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn import runs
from brainrnn.cli.options import DATA_DIR, RUN, TRUST


@click.command()
@RUN
@TRUST
@DATA_DIR
def plot(run: Path) -> None:
    """Draw the figures of RUN, as PNG and SVG.

    For a recurrent network: the brain map, the task variance, the null distributions and the
    training curves. For a feed-forward network: the connectivity graphs and the training curves.
    """
    for path in runs.Run.open(run).plot():
        click.echo(path)
