"""The command line: ``paper-mlp list``, ``run``, ``resume``, ``tables`` and ``all``.

Commands import what they need when they run, so that help and version answer at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from brainrnn.cli import DATA_DIR, DEVICE, placed, run_command_line
from paper_mlp.methods import METHODS, parse_methods

ROOT = Path("runs/paper")

SETTINGS = click.option(
    "--settings",
    type=click.Choice(["notebook", "paper"]),
    default="notebook",
    show_default=True,
    help="notebook: the settings of the authors' published notebooks; paper: those that the paper "
    "describes.",
)
SEEDS = click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    help="Number of networks of each method. Default: that of the paper.",
)
METHOD_LIST = click.option(
    "--methods", help=f"Some of {','.join(METHODS)}. Default: all, or those in the figure."
)
STEPS = click.option(
    "--steps", type=click.IntRange(1, 10**8), help="Number of training steps, for a first look."
)
DATA = click.option(
    "--data",
    type=click.Choice(["mnist", "digits"]),
    help="Handwritten digits: MNIST (from --data-dir, or downloaded), or the small digits of "
    "scikit-learn. Default: MNIST if it can be found.",
)
JSON = click.option("--json", "as_object", is_flag=True, help="Print JSON, nothing else.")
PLACE = placed("serial")
QUIET = click.option("--quiet", is_flag=True, help="No progress bars.")
FOLDERS = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=ROOT,
    show_default=True,
    help="Folder of the run folders. Its unfinished runs are continued, its finished runs reused.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="brainrnn", message="paper-mlp of brainrnn %(version)s")
def cli() -> None:
    """Reproduce "Seeing Is Believing: Brain-Inspired Modular Training" (Entropy 2024, 26, 41)."""


@cli.command("list")
@click.option(
    "--configs",
    type=click.Path(path_type=Path),
    help="Also write a configuration of every experiment into this folder, for `brainrnn train`.",
)
def list_experiments(configs: Path | None) -> None:
    """List the experiments.

    For each: the figures of the paper, and the structures that it looks for.
    """
    from brainrnn.files import atomic_path
    from paper_mlp.session import EXPERIMENTS, configurations

    for name, reproduction in EXPERIMENTS.items():
        click.echo(f"{name:<6}  {reproduction.title:<28}  {reproduction.shows}")
        for check in reproduction.checks:
            click.echo(f"{'':<8}- {check}")
    if configs is not None:
        for name, text in configurations().items():
            with atomic_path(configs / name) as temporary:
                temporary.write_text(text, "utf-8")


@cli.command()
@click.argument("name")
@SETTINGS
@SEEDS
@METHOD_LIST
@STEPS
@DATA
@DATA_DIR
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=f"New folder for the run. Default: {ROOT}/NAME-SETTINGS.",
)
@DEVICE
@PLACE
@JSON
@QUIET
def run(
    name: str,
    settings: str,
    seeds: int | None,
    methods: str | None,
    steps: int | None,
    data: str | None,
    out: Path | None,
    device: str | None,
    as_object: bool,
    quiet: bool,
    **place: Any,
) -> None:
    """Train experiment NAME and draw its figures.

    The numbers of the paper are printed beside ours.
    """
    from brainrnn.errors import InputError
    from brainrnn.runs.experiment import build_network, load_suite, on_device
    from brainrnn.runs.folder import require_new
    from paper_mlp.printed import show
    from paper_mlp.session import Asked, Choice, find, finish

    reproduction = find(name)
    choice = Choice(settings, seeds, methods, steps, data)
    if data is not None and reproduction.instead is None:
        raise InputError(f"{name} has no choice of data: leave out --data")
    folder = out or ROOT / f"{name}-{settings}"
    require_new(folder, resume="paper-mlp resume")
    experiment = on_device(choice.experiment(reproduction), device)
    if device is not None:  # whether it is there
        build_network(experiment.network, load_suite(experiment.task), seed=0, device=device)
    (outcome,) = finish([Asked(reproduction, experiment, folder)], quiet=quiet, **place)
    show(outcome, as_object=as_object)


@cli.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@DEVICE
@DATA_DIR
@PLACE
@JSON
@QUIET
def resume(folder: Path, device: str | None, as_object: bool, quiet: bool, **place: Any) -> None:
    """Continue RUN exactly where it stopped.

    If RUN is finished, it is measured and drawn again.
    """
    from brainrnn.runs.folder import Run
    from paper_mlp.printed import show
    from paper_mlp.session import Asked, finish, reproduction_of

    opened = Run.open(folder, device=device)
    asked = Asked(reproduction_of(opened), opened.experiment, folder)
    (outcome,) = finish([asked], again=True, quiet=quiet, **place)
    show(outcome, as_object=as_object)


@cli.command()
@SETTINGS
@SEEDS
@METHOD_LIST
@STEPS
@DATA
@DATA_DIR
@FOLDERS
@PLACE
@JSON
@QUIET
def tables(
    settings: str,
    seeds: int | None,
    methods: str | None,
    steps: int | None,
    data: str | None,
    out: Path,
    as_object: bool,
    quiet: bool,
    **place: Any,
) -> None:
    """Print Tables 1 and 2, our values beside the paper's.

    The tables show losses or accuracies, and modularity.
    """
    from paper_mlp import session
    from paper_mlp.tables import as_text, cells

    chosen = [r for r in session.EXPERIMENTS.values() if r.expected is not None]
    choice = session.Choice(settings, seeds, methods, steps, data)
    outcomes = session.finish(session.ask_for(chosen, choice, out), quiet=quiet, **place)
    table = cells(outcomes)
    click.echo(
        json.dumps([asdict(cell) for cell in table], indent=2) if as_object else as_text(table)
    )


@cli.command("all")
@SETTINGS
@SEEDS
@METHOD_LIST
@STEPS
@DATA
@DATA_DIR
@FOLDERS
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Folder for a report: text, figures, tables and structure rates (CSV).",
)
@PLACE
@QUIET
def run_all(
    settings: str,
    seeds: int | None,
    methods: str | None,
    steps: int | None,
    data: str | None,
    out: Path,
    report: Path | None,
    quiet: bool,
    **place: Any,
) -> None:
    """Run every experiment, and print every number."""
    from paper_mlp import session
    from paper_mlp.printed import show
    from paper_mlp.report import write_report
    from paper_mlp.tables import as_text, cells

    choice = session.Choice(settings, seeds, methods, steps, data)
    if report is not None:
        parse_methods(methods or ",".join(METHODS))
        session.require_folder(report)
    asked = session.ask_for(session.EXPERIMENTS.values(), choice, out)
    outcomes = session.finish(asked, quiet=quiet, **place)
    for outcome in outcomes:
        show(outcome)
    click.echo(as_text(cells(outcomes)))
    if report is not None:
        for path in write_report(outcomes, f"paper-mlp all {choice}", report):
            click.echo(f"Written: {path}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input is one line on standard error and exit status 2."""
    sys.exit(run_command_line(cli, "paper-mlp", arguments))
