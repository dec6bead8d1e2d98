"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn.data import DATA, set_data_folder

RUN = click.argument("run", type=click.Path(path_type=Path))

DEVICE = click.option(
    "--device", help="Device: cpu, cuda, cuda:1, ... Default: that of the configuration."
)

QUIET = click.option("--quiet", is_flag=True, help="No progress bar.")


def _point_to_data(_ctx: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        set_data_folder(folder)


DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_point_to_data,
    help=f"Folder of the data sets, such as the four IDX files of MNIST. Default: ${DATA}.",
)
