"""``brainrnn train``: a configuration becomes a run folder."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn import runs
from brainrnn.cli.finish import finish
from brainrnn.cli.options import DATA_DIR, DEVICE, QUIET, TRUST, trusting


class _ConfigCommand(click.Command):
    """A command whose help lists every configuration key."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List key, default and meaning."""
        from brainrnn.config import describe

        with formatter.section("Configuration keys, their defaults and meanings"):
            formatter.write_text(
                "network.kind chooses the network: rnn, mlp or transformer. A key of network is "
                "listed again if another kind has another default or meaning for it."
            )
            formatter.write_dl(
                [(f"{key} = {default}", text) for key, default, text in describe(runs.Experiment)],
                col_max=44,
            )


@click.command(cls=_ConfigCommand)
@click.argument("config")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...", callback=trusting)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="New folder for the run. Default: runs/NAME, with the name of the configuration.",
)
@click.option(
    "--resume",
    "begun",
    is_flag=True,
    help="Continue the run if the folder holds it already, from where it was stopped. A script "
    "then needs one line for both.",
)
@DEVICE
@TRUST
@DATA_DIR
@QUIET
def train(
    config: str,
    overrides: tuple[str, ...],
    out: Path | None,
    begun: bool,
    device: str | None,
    quiet: bool,
) -> None:
    """Train the network that CONFIG describes.

    CONFIG is a TOML file, or the name of one that comes with the package (see `brainrnn configs`).
    Any key of the configuration can be overridden: `brainrnn train quick training.steps=500
    method.strength=1e-4`.
    """
    experiment = runs.on_device(runs.load_experiment(config, overrides), device)
    folder = out or Path("runs") / Path(config).stem
    run = (runs.Run.begin if begun else runs.Run.create)(folder, experiment)
    finish(run, quiet=quiet)
