"""``brainrnn study``: many networks, one question to all of them, and a report."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn import study as studies


@click.command()
@click.argument("study")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/studies"),
    show_default=True,
    help="Folder of all networks and results. Studies in one folder share their networks.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Number of networks at once, each on one thread. Default: one for every processor.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Second folder for the report, its tables and its figures (PNG).",
)
@click.option("--quiet", is_flag=True, help="No progress bars.")
def study(
    study: str,
    overrides: tuple[str, ...],
    out: Path,
    jobs: int | None,
    report: Path | None,
    quiet: bool,
) -> None:
    """Train many networks, ask them one question, write a report.

    STUDY is a TOML file, or the name of one that comes with the package (see `brainrnn configs`).
    If the command is stopped, the same command continues the study. Any key can be overridden:
    `brainrnn study growing_brains 'seeds=[1, 2]' experiment.training.steps=500`.
    """
    plan = studies.load_study(study, overrides)
    words = ["brainrnn study", study, *(f"'{text}'" for text in overrides)]
    page = studies.conduct(
        plan, out, workers=jobs, progress=not quiet, report=report, command=" ".join(words)
    )
    click.echo(f"Written: {page}")
