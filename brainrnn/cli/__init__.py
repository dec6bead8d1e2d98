"""The command line: a file for each command, and what commands share.

Commands name their heavy parts by the packages' doors (``runs.Run``), which import them when the
command runs. So help and version answer at once.
"""

from brainrnn.cli.commands import cli, main
from brainrnn.cli.options import DATA_DIR, DEVICE, QUIET, RUN
from brainrnn.cli.status import run_command_line
from brainrnn.cli.study import placed

__all__ = ["DATA_DIR", "DEVICE", "QUIET", "RUN", "cli", "main", "placed", "run_command_line"]
