"""What a command says on standard error."""

import warnings

import click

from brainrnn.cli.status import run_command_line


def test_a_warning_is_one_line(capsys):
    @click.command()
    def hesitate():
        click.echo(warnings.formatwarning("steps are slow", UserWarning, "file.py", 3), nl=False)

    usual = warnings.formatwarning
    assert run_command_line(hesitate, "hesitate", []) == 0
    assert capsys.readouterr().out == "hesitate: steps are slow\n"
    assert warnings.formatwarning is usual
