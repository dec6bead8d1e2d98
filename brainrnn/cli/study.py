"""``brainrnn study``: many networks, one question to all of them, and a report."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from brainrnn import study as studies
from brainrnn.cli.options import TRUST, trusting

Command = TypeVar("Command", bound=Callable[..., Any])

_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/studies"),
    show_default=True,
    help="Folder of all networks and results. Studies in one folder share their networks.",
)
_QUIET = click.option(
    "--quiet",
    "progress",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Show nothing while networks are trained.",
)


def placed(on: str = "local") -> Callable[[Command], Command]:
    """Give a command the options that say where networks are trained.

    It gets them by the names of the arguments of :func:`brainrnn.study.conduct`.

    Parameters
    ----------
    on : str
        Where, if nothing is said.
    """
    options = (
        click.option(
            "--on",
            type=click.Choice(["local", "serial", "dask", "slurm"]),
            default=on,
            show_default=True,
            help="Where networks are trained: in processes of this machine; in this process, one "
            "after the other; on the workers of a Dask scheduler; in jobs of a Slurm cluster.",
        ),
        click.option(
            "--workers",
            "--jobs",
            type=click.IntRange(1),
            help="Number of networks at once, each on one thread. Default: one for every "
            "processor; 8 Slurm jobs.",
        ),
        click.option(
            "--scheduler", metavar="ADDRESS", help="Of Dask, such as tcp://10.0.0.1:8786."
        ),
        click.option("--dashboard", is_flag=True, help="Say where Dask's dashboard is."),
        click.option(
            "--slurm",
            metavar="KEY=VALUE",
            multiple=True,
            callback=lambda context, option, words: dict(_pair(word) for word in words),
            help="An option of sbatch, such as partition=cpu, time=2:00:00, mem=4G or "
            "account=NAME. Can be repeated.",
        ),
    )

    def give(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return give


def _pair(word: str) -> tuple[str, str]:
    """A key and its value; the empty word for a key alone, such as `exclusive`."""
    key, _, value = word.partition("=")
    return key, value


def conducting(command: Command) -> Command:
    """Give a command the options of :func:`brainrnn.study.conduct`, by its arguments' names."""
    return _OUT(placed()(_QUIET(command)))


class _RunByDefault(click.Group):
    """A group whose command ``run`` needs no name: `brainrnn study growing_brains`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_RunByDefault,
    subcommand_metavar="STUDY [KEY=VALUE]... | COMMAND [ARGS]...",
    short_help="Train many networks, ask them one question, write a report.",
)
def study() -> None:
    """Train many networks, ask them one question, write a report.

    `brainrnn study growing_brains` means `brainrnn study run growing_brains`. Its options are
    listed by `brainrnn study run --help`.
    """


@study.command()
@click.argument("study")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...", callback=trusting)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Second folder for the report, the answers, the tables and the figures (PNG).",
)
@TRUST
@conducting
def run(study: str, overrides: tuple[str, ...], **how: Any) -> None:
    """Train networks, ask each, and write the report.

    STUDY is a TOML file, or the name of one that comes with the package (see `brainrnn configs`).
    If the command is stopped, the same command continues the study. Any key can be overridden:
    `brainrnn study growing_brains 'seeds=[1, 2]' experiment.training.steps=500`.
    """
    plan = studies.load_study(study, overrides)
    words = ["brainrnn", "study", study, *overrides]
    page = studies.conduct(plan, command=shlex.join(words), **how)
    click.echo(f"Written: {page}")


@study.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the report and a copy of the answers. Default: FOLDER itself.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    default=("png", "svg"),
    show_default=True,
    help="Format of the figures. May be given several times.",
)
@click.option(
    "--fill",
    "pages",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Another page in Markdown whose tables are written anew from those of reports. May be "
    "given several times.",
)
def report(
    folders: tuple[Path, ...], out: Path | None, formats: tuple[str, ...], pages: tuple[Path, ...]
) -> None:
    """Write reports of studies again.

    They are made from the answers that each FOLDER keeps: no network is needed. FOLDER is a
    study's folder, such as runs/studies/growing_brains, or a report that was published with its
    answers.
    """
    if out and len(folders) > 1:
        raise click.UsageError("--out is for one FOLDER: name one, or leave --out away")
    for folder in folders:
        click.echo(f"Written: {studies.write_report(folder, out, formats=formats)}")
    for page in pages:
        click.echo(f"Written: {studies.fill(page)}")
