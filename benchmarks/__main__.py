"""Run the benchmarks, all of them or those named."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks import NAMES, scale
from benchmarks.report import machine, write_report
from benchmarks.timing import Setting
from brainrnn.errors import unknown


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--small", is_flag=True, help="A few seconds each; fails below a ratio's floor.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Also measure time and memory at growing sizes, and write everything to this Markdown "
    "file.",
)
def main(
    names: tuple[str, ...], as_json: bool, small: bool, device: str, report: Path | None
) -> None:
    """Measure both sides in one run, alternating, and print the ratio of their times."""
    for name in names:
        if name not in NAMES:
            raise click.UsageError(unknown("benchmark", name, NAMES))
    if device != "cpu" and not torch.cuda.is_available():
        raise click.UsageError(f"no device {device!r} here: use --device cpu")
    about = machine(device)
    if not as_json:
        click.echo(", ".join(f"{key} {value}" for key, value in about.items()))

    def measure(names: Iterable[str]) -> list[dict[str, Any]]:
        rows = []
        for name in names:
            benchmark = importlib.import_module(f"benchmarks.{name}")
            for comparison in benchmark.comparisons(Setting(small, device)):
                rows.append({"name": name, **comparison.as_dict(), "machine": about})
                click.echo(json.dumps(rows[-1]) if as_json else f"{name}: {comparison}")
        return rows

    rows = measure(names or NAMES)
    if report:
        write_report(report, rows, list(scale.rows()) if device == "cpu" else [])
    if small and (slow := missed(rows)):
        click.echo("Once more, for other programs may have been busy:", err=True)
        slow = [case for case in missed(measure(dict(slow))) if case in slow]
        if slow:
            cases = "; ".join(f"{name} ({case})" for name, case in slow)
            click.echo(f"Slower than their floors, twice: {cases}", err=True)
            sys.exit(1)


def missed(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Benchmarks and their cases that do not reach their floors."""
    return [(row["name"], row["case"]) for row in rows if not row["reached"]]


if __name__ == "__main__":
    main()
