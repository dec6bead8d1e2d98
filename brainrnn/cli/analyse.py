"""``brainrnn analyse``: has the network of a run grown a map?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from brainrnn import analysis, runs
from brainrnn.cli.options import DATA_DIR, DEVICE, RUN, TRUST
from brainrnn.errors import InputError


@click.command()
@RUN
@click.argument("overrides", nargs=-1, metavar="[analysis.KEY=VALUE]...")
@click.option(
    "--statistics",
    "more",
    is_flag=True,
    help="Also compute every other statistic of the map, the wiring and the graph. They are "
    "written to statistics.nc.",
)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object, nothing else.")
@DEVICE
@TRUST
@DATA_DIR
def analyse(
    run: Path, overrides: tuple[str, ...], more: bool, as_object: bool, device: str | None
) -> None:
    """Test whether the network of RUN has a map.

    The analysis finds functional modules, and tests by 10,000 permutations whether they are more
    compact in space than chance. For a feed-forward network it measures losses, accuracies,
    sparsity and Newman's modularity. It writes analysis.nc (NetCDF) into the run folder and prints
    a table.
    """
    opened = runs.Run.open(run, device=device)
    feedforward = not opened.unfolds
    if overrides and feedforward:
        raise InputError(
            "the analysis of a feed-forward network has no settings: leave out analysis.KEY=VALUE"
        )
    if more and feedforward:
        raise InputError(
            "--statistics needs the map of a recurrent network, and this network is feed-forward: "
            "leave it out"
        )
    settings = runs.changed(opened.experiment, overrides, ("analysis",)).analysis
    brain = opened.analyse(settings, write=False)
    if as_object:
        result = analysis.feedforward_json(brain) if feedforward else analysis.as_json(brain)
        click.echo(json.dumps(result, allow_nan=False, indent=2))
    else:
        click.echo(analysis.feedforward_table(brain) if feedforward else analysis.summary(brain))
    found = {"analysis.nc": brain}
    if more:
        found["statistics.nc"] = opened.statistics(brain, write=False)
        if not as_object:
            click.echo(f"\n{analysis.statistics_table(found['statistics.nc'])}")
    for name, dataset in found.items():  # last: what was computed is told, even if it is not kept
        analysis.save(dataset, run / name)
    if not as_object:
        click.echo("\n" + "\n".join(f"Written: {run / name}" for name in found))
