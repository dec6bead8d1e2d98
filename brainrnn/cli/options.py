"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click

from brainrnn import own
from brainrnn.data import DATA, set_data_folder

Words = TypeVar("Words", str, tuple[str, ...])

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


def trusting(_ctx: click.Context, _parameter: click.Parameter, words: Words) -> Words:
    """Trust the modules that these words name: who typed them has seen them."""
    own.trust_named((words,) if isinstance(words, str) else words or ())
    return words


def _trust(_ctx: click.Context, _parameter: click.Parameter, modules: tuple[str, ...]) -> None:
    own.trust(*modules)


TRUST = click.option(
    "--trust",
    metavar="MODULE",
    multiple=True,
    expose_value=False,
    callback=_trust,
    help="A module of your own that the configuration names, as in MODULE:function. It is imported "
    f"only then. Can be repeated. Default: ${own.TRUST}.",
)
