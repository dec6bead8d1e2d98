"""``brainrnn sweep``: networks over every combination of some settings."""

from __future__ import annotations

import shlex
from typing import Any

import click

from brainrnn import analysis
from brainrnn import study as studies
from brainrnn.cli.study import conducting


@click.command()
@click.argument("config")
@click.argument("assignments", nargs=-1, metavar="KEY=VALUES...", required=True)
@click.option("--name", default="sweep", show_default=True, help="Name of its folder in --out.")
@conducting
def sweep(config: str, assignments: tuple[str, ...], name: str, **how: Any) -> None:
    """Train networks over every combination of some settings.

    CONFIG is a TOML file, or the name of one that comes with the package. A key with a list of
    numbers, logspace(FIRST, LAST, NUMBER) in powers of ten, or linspace(...) is swept; any other
    KEY=VALUE is for all networks; seeds=5 trains five networks of each.

    `brainrnn sweep quick 'method.strength=logspace(-5,-3,5)' 'method.locality=[0,1,4]' seeds=3`

    Writes a report, networks.csv, and results.nc: an xarray dataset with the swept keys as
    dimensions. If the command is stopped, the same command continues the sweep.
    """
    plan = studies.make_sweep(config, assignments, name=name)
    words = ["brainrnn", "sweep", config, *assignments]
    page = studies.conduct(plan, command=shlex.join(words), **how)
    results = page.parent / "results.nc"
    analysis.save(studies.results(page.parent), results)
    click.echo(f"Written: {page}\nWritten: {results}")
