"""What the command line prints of a finished experiment."""

from __future__ import annotations

import json
from typing import Any

import click

from paper_mlp.methods import METHODS
from paper_mlp.outcome import MEASURES, Outcome, results_in


def show(outcome: Outcome, *, as_object: bool = False) -> None:
    """Print the results that were written of one experiment."""
    folder, reproduction = outcome.run.path, outcome.reproduction
    result = results_in(folder)
    assert result is not None
    if as_object:
        click.echo(json.dumps(result, allow_nan=False, indent=2))
        return
    click.echo(f"{reproduction.name}: {reproduction.title} ({reproduction.shows})")
    click.echo(f"Learned: {result['task']}\n")
    click.echo(measures(result))
    if reproduction.checks:
        click.echo(f"\n{structures(result)}")
    for text in reproduction.texts:
        click.echo(f"\n{text.source}\n{(folder / f'{text.name}.txt').read_text('utf-8').rstrip()}")
    for name, reason in result.get("left_out", {}).items():
        click.echo(f"\nNot drawn: {name}, because {reason}")
    click.echo(f"\nPictures and numbers of every network: {folder}\n")


def measures(result: dict[str, Any]) -> str:
    """A line per method: what was measured, mean ± sd over seeds, and the paper's numbers."""
    lines = []
    for method, entry in result["methods"].items():
        cells_ = [f"{METHODS[method].title:<11}"]
        for name in MEASURES:
            if name in entry:
                mean, sd = entry[name]["mean"], entry[name]["sd"]
                form = ".2e" if name.endswith("loss") else ".3f"
                cells_.append(f"{name.replace('_', ' ')} {mean:{form}} ± {sd:{form}}")
        paper = [
            f"{value['measure'].replace('_', ' ')} {value['mean']:g} ± {value['sd']:g}"
            for value in entry.get("paper", {}).values()
        ]
        lines.append("  ".join(cells_) + (f"  (paper: {', '.join(paper)})" if paper else ""))
    return "\n".join(lines)


def structures(result: dict[str, Any]) -> str:
    """A line per structure: how often it appears, by method."""
    lines = []
    for name in next(iter(result["methods"].values()))["structure"]:
        rates = [
            f"{METHODS[m].title} {entry['structure'][name]:.0%}"
            for m, entry in result["methods"].items()
        ]
        if name in result.get("untrained", {}):
            rates.append(f"before training {result['untrained'][name]:.0%}")
        lines.append(f"{name}: {', '.join(rates)}")
    return "\n".join(lines)
