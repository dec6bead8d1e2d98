"""``brainrnn configs``: the configurations that come with the package."""

from __future__ import annotations

from pathlib import Path

import click

from brainrnn.catalogue import find, shipped, title
from brainrnn.errors import InputError
from brainrnn.files import atomic_path


@click.command()
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="New file for the copy.")
def configs(name: str | None, out: Path | None) -> None:
    """List the configurations of the package, or copy one.

    Without NAME, all configurations are listed. With NAME, this one is printed, or with --out
    copied to a new file. To change one: `brainrnn configs quick --out mine.toml`, edit mine.toml,
    `brainrnn train mine.toml`.
    """
    if name is None:
        if out is not None:
            raise InputError("which configuration? write `brainrnn configs NAME --out FILE`")
        _list()
        return
    text = find("study" if name in shipped("study") else "experiment", name).read_text("utf-8")
    if out is None:
        click.echo(text, nl=False)
        return
    if out.exists():
        raise InputError(f"{out} exists: choose another --out")
    with atomic_path(out) as temporary:
        temporary.write_text(text, "utf-8")
    click.echo(f"Written: {out}")


def _list() -> None:
    experiments, studies = shipped("experiment"), shipped("study")
    width = max(map(len, [*experiments, *studies]))
    for heading, known in (
        ("Experiments: brainrnn train NAME", experiments),
        ("Studies: brainrnn study NAME", studies),
    ):
        click.echo(f"{heading}\n")
        for name, path in known.items():
            click.echo(f"  {name:<{width}}  {title(path)}")
        click.echo()
    click.echo("To copy one and edit it: brainrnn configs NAME --out mine.toml")
