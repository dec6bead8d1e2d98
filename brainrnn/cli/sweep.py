"""``brainrnn sweep``: networks over combinations of some settings, or the search for the best."""

from __future__ import annotations

import shlex
from typing import Any

import click

from brainrnn import study as studies
from brainrnn.cli.options import TRUST, trusting
from brainrnn.cli.study import conducting


@click.command(short_help="Train networks under many settings: a grid, a sample, a search.")
@click.argument("config")
@click.argument("assignments", nargs=-1, metavar="KEY=VALUES...", required=True, callback=trusting)
@click.option("--name", default="sweep", show_default=True, help="Name of its folder in --out.")
@click.option(
    "--sample",
    type=click.Choice(["random", "sobol"]),
    help="Draw --points settings from distributions, instead of every combination.",
)
@click.option(
    "--search",
    metavar="GOALS",
    help="Let Optuna search for the best: 'accuracy', or 'accuracy,-wiring_length' where the "
    "second is to be small. Needs --points.",
)
@click.option("--points", type=int, help="Number of settings of a sample or a search.")
@click.option(
    "--point-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the points.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1),
    help="Points that a search chooses together. Their networks are trained at the same time. "
    "Default: 4.",
)
@TRUST
@conducting
def sweep(
    config: str,
    assignments: tuple[str, ...],
    name: str,
    sample: Any,
    search: str | None,
    points: int | None,
    point_seed: int,
    at_once: int | None,
    **how: Any,
) -> None:
    """Train networks over every combination of some settings, a sample of them, or a search.

    CONFIG is a TOML file, or the name of one that comes with the package. A key with a list of
    values, logspace(FIRST, LAST, NUMBER) in powers of ten, or linspace(...) is swept; any other
    KEY=VALUE is for all networks; seeds=5 trains five networks of each.

    `brainrnn sweep quick 'method.strength=logspace(-5,-3,5)' 'method.locality=[0,1,4]' seeds=3`

    With --sample or --search, keys have distributions: uniform(0, 4), loguniform(1e-5, 1e-3),
    integers(8, 64) or choice(relu, tanh).

    `brainrnn sweep quick 'method.strength=loguniform(1e-5,1e-3)' --sample sobol --points 32`

    Writes a report, networks.csv, and results.nc: an xarray dataset with the swept keys as
    dimensions. If the command is stopped, the same command continues the sweep.
    """
    drawing = {"sample": sample, "search": search, "points": points, "at_once": at_once}
    plan = studies.make_sweep(config, assignments, name=name, point_seed=point_seed, **drawing)
    words = ["brainrnn", "sweep", config, *assignments]
    said = {key: value for key, value in drawing.items() if value is not None}
    said |= {"point_seed": point_seed} if point_seed else {}
    for key, value in said.items():
        words += [f"--{key.replace('_', '-')}", str(value)]
    page = studies.conduct(plan, command=shlex.join(words), **how)
    click.echo(f"Written: {page}\nWritten: {page.parent / 'results.nc'}")
