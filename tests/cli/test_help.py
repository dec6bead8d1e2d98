"""Help texts as a terminal of 80 columns shows them."""

import click
import pytest
from click.testing import CliRunner

from brainrnn.cli import cli
from paper_mlp.cli import cli as paper_cli


def groups():
    """Every group of commands."""
    for whole in (cli, paper_cli):
        yield whole
        yield from (c for c in whole.commands.values() if isinstance(c, click.Group))


@pytest.mark.parametrize("group", list(groups()), ids=lambda group: group.name)
def test_the_list_of_commands_shows_whole_sentences(group):
    help_text = CliRunner().invoke(group, ["--help"], terminal_width=80).output
    listed = help_text.partition("Commands:\n")[2].splitlines()
    assert len(listed) == len(group.commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed), help_text
