"""Run the benchmarks, all of them or those named."""

from __future__ import annotations

import importlib
import platform

import click
import torch

from brainrnn.errors import unknown

NAMES = ("rnn_step", "tasks", "swap_token", "permutation")


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Measure both sides in one run, alternating, and print the ratio of their times."""
    for name in names:
        if name not in NAMES:
            raise click.UsageError(unknown("benchmark", name, NAMES))
    click.echo(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}"
    )
    for name in names or NAMES:
        for comparison in importlib.import_module(f"benchmarks.{name}").comparisons():
            click.echo(f"{name}: {comparison}")


main()
