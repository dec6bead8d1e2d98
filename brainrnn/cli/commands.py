"""``brainrnn``: all commands together."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from brainrnn.cli.analyse import analyse
from brainrnn.cli.configs import configs
from brainrnn.cli.plot import plot
from brainrnn.cli.resume import resume
from brainrnn.cli.status import run_command_line
from brainrnn.cli.study import study
from brainrnn.cli.sweep import sweep
from brainrnn.cli.tasks import tasks
from brainrnn.cli.train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="brainrnn", message="brainrnn %(version)s")
def cli() -> None:
    """Train networks that pay for their wiring, and test whether a brain-like map has grown."""


for command in (train, resume, analyse, plot, study, sweep, tasks, configs):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input is one line on standard error and exit status 2.

    Examples
    --------
    >>> try:
    ...     main(["no-such-command"])
    ... except SystemExit as end:
    ...     print(end.code)
    2
    """
    sys.exit(run_command_line(cli, "brainrnn", arguments))
