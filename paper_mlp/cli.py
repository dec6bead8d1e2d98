"""The command line: ``paper-mlp list``, ``run``, ``resume``, ``tables`` and ``all``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from brainrnn.cli import DATA_DIR, DEVICE, run_command_line
from brainrnn.config import as_toml
from brainrnn.data import data_folder
from brainrnn.errors import InputError, unknown
from brainrnn.files import atomic_path
from brainrnn.runs.experiment import Experiment, on_device
from brainrnn.runs.folder import InterruptedRun, Run
from paper_mlp.experiments import EXPERIMENTS, Reproduction
from paper_mlp.methods import METHODS, member_methods, parse_methods
from paper_mlp.outcome import MEASURES, Outcome
from paper_mlp.report import write_report
from paper_mlp.tables import as_text, cells
from tasks.images import MissingDataError, images

ROOT = Path("runs/paper")

SETTINGS = click.option(
    "--settings",
    type=click.Choice(["notebook", "paper"]),
    default="notebook",
    show_default=True,
    help="As the authors' published notebooks run it, or as the paper describes it.",
)
SEEDS = click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    help="Networks of each method. Default: the paper's.",
)
METHOD_LIST = click.option(
    "--methods", help=f"Some of {','.join(METHODS)}. Default: all, or what the figure shows."
)
STEPS = click.option(
    "--steps", type=click.IntRange(1, 10**8), help="Fewer training steps, for a first look."
)
DATA = click.option(
    "--data",
    type=click.Choice(["mnist", "digits"]),
    help="Images of handwritten digits: MNIST, from --data-dir or downloaded, "
    "or the small ones of scikit-learn. Default: MNIST if it is to be had.",
)
JSON = click.option("--json", "as_object", is_flag=True, help="Print JSON, nothing else.")
QUIET = click.option("--quiet", is_flag=True, help="No progress bars.")
FOLDERS = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=ROOT,
    show_default=True,
    help="Folder of the run folders; runs that it holds are continued, or taken as they are.",
)


@dataclass(frozen=True)
class Choice:
    """What the options ask of an experiment; None is the experiment's own."""

    settings: str
    seeds: int | None
    methods: str | None
    steps: int | None
    data: str | None

    def experiment(
        self, reproduction: Reproduction, existing: Experiment | None = None
    ) -> Experiment:
        """The configuration of its run; where the data are left open, that of an existing run."""
        variants = reproduction.variants(
            self.settings,
            reproduction.methods if self.methods is None else parse_methods(self.methods),
            self.seeds or reproduction.seeds,
            steps=self.steps,
        )
        if len(variants) > 1 and self.data == "digits":
            return variants[1]
        if len(variants) == 1 or self.data == "mnist" or data_folder() is not None:
            return variants[0]
        if existing is not None and existing in variants:
            return existing
        return variants[0] if mnist_is_here() else variants[1]

    def __str__(self) -> str:
        """The options as they were typed."""
        return " ".join(f"--{k} {v}" for k, v in vars(self).items() if v is not None)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="brainrnn", message="paper-mlp of brainrnn %(version)s")
def cli() -> None:
    """Reproduce "Seeing Is Believing: Brain-Inspired Modular Training" (Entropy 2024, 26, 41)."""


@cli.command("list")
@click.option(
    "--configs",
    type=click.Path(path_type=Path),
    help="Also write every experiment as a configuration for `brainrnn train` into this folder.",
)
def list_experiments(configs: Path | None) -> None:
    """List the experiments, what of the paper each covers, and the structures it looks for."""
    for name, reproduction in EXPERIMENTS.items():
        click.echo(f"{name:<6}  {reproduction.title:<28}  {reproduction.shows}")
        for check in reproduction.checks:
            click.echo(f"{'':<8}- {check}")
    if configs is not None:
        for name, text in configurations().items():
            with atomic_path(configs / name) as temporary:
                temporary.write_text(text, "utf-8")


@cli.command()
@click.argument("name")
@SETTINGS
@SEEDS
@METHOD_LIST
@STEPS
@DATA
@DATA_DIR
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=f"Folder of the run; must be new. Default: {ROOT}/NAME-SETTINGS.",
)
@DEVICE
@JSON
@QUIET
def run(
    name: str,
    settings: str,
    seeds: int | None,
    methods: str | None,
    steps: int | None,
    data: str | None,
    out: Path | None,
    device: str | None,
    as_object: bool,
    quiet: bool,
) -> None:
    """Train experiment NAME, draw the paper's pictures, and print its numbers beside ours."""
    reproduction = find(name)
    choice = Choice(settings, seeds, methods, steps, data)
    if data is not None and reproduction.instead is None:
        raise InputError(f"{name} has no choice of data: leave out --data")
    folder = out or ROOT / f"{name}-{settings}"
    if (folder / "config.toml").is_file():
        raise InputError(
            f"{folder} already holds a run: choose another --out, or continue it with "
            f"`paper-mlp resume {folder}`"
        )
    created = Run.create(folder, on_device(choice.experiment(reproduction), device))
    show(finish(reproduction, created, quiet=quiet), as_object)


@cli.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@DEVICE
@DATA_DIR
@JSON
@QUIET
def resume(folder: Path, device: str | None, as_object: bool, quiet: bool) -> None:
    """Continue RUN exactly where it stopped; of a finished one, measure and draw all again."""
    opened = Run.open(folder, device=device)
    if opened.finished:
        opened.analyse(progress=not quiet)
    show(finish(reproduction_of(opened), opened, quiet=quiet), as_object)


@cli.command()
@SETTINGS
@SEEDS
@METHOD_LIST
@STEPS
@DATA
@DATA_DIR
@FOLDERS
@JSON
@QUIET
def tables(
    settings: str,
    seeds: int | None,
    methods: str | None,
    steps: int | None,
    data: str | None,
    out: Path,
    as_object: bool,
    quiet: bool,
) -> None:
    """Fill Tables 1 and 2: losses or accuracies, and modularity, ours beside the paper's."""
    chosen = [r for r in EXPERIMENTS.values() if r.expected is not None]
    choice = Choice(settings, seeds, methods, steps, data)
    outcomes = [outcome for outcome, _ in finish_all(chosen, choice, out, quiet=quiet)]
    table = cells(outcomes)
    click.echo(
        json.dumps([asdict(cell) for cell in table], indent=2) if as_object else as_text(table)
    )


@cli.command("all")
@SETTINGS
@SEEDS
@METHOD_LIST
@STEPS
@DATA
@DATA_DIR
@FOLDERS
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Folder in which to write a report: tables and structure rates (CSV), pictures, text.",
)
@QUIET
def run_all(
    settings: str,
    seeds: int | None,
    methods: str | None,
    steps: int | None,
    data: str | None,
    out: Path,
    report: Path | None,
    quiet: bool,
) -> None:
    """Run every experiment, one after the other, and print every number."""
    choice = Choice(settings, seeds, methods, steps, data)
    if report is not None:
        parse_methods(methods or ",".join(METHODS))
        require_folder(report)
    outcomes = []
    for outcome, result in finish_all(EXPERIMENTS.values(), choice, out, quiet=quiet):
        show((outcome, result), as_object=False)
        outcomes.append(outcome)
    click.echo(as_text(cells(outcomes)))
    if report is not None:
        for path in write_report(outcomes, f"paper-mlp all {choice}", report):
            click.echo(f"Written: {path}")


def configurations() -> dict[str, str]:
    """Every experiment with either settings, as a configuration file: name and text."""
    return {
        f"{name}-{settings}.toml": f"# {reproduction.shows}: the same as `paper-mlp run {name} "
        f"--settings {settings}`.\n\n"
        + as_toml(reproduction.experiment(settings, reproduction.methods, reproduction.seeds))
        for name, reproduction in EXPERIMENTS.items()
        for settings in reproduction.recipes
    }


@cache
def mnist_is_here() -> bool:
    """Whether MNIST is on this machine or can be downloaded; says so if not."""
    try:
        images(["mnist"])
    except MissingDataError as missing:
        click.echo(f"{missing}. Taking scikit-learn's small digits instead.", err=True)
        return False
    return True


def require_folder(folder: Path) -> None:
    """Make a folder, before hours are spent on what is to be written there.

    Raises
    ------
    InputError
        If it cannot be made or written.
    """
    with atomic_path(folder / "probe") as temporary:
        temporary.touch()
    (folder / "probe").unlink()


def find(name: str) -> Reproduction:
    """The experiment of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in EXPERIMENTS:
        raise InputError(unknown("experiment", name, EXPERIMENTS))
    return EXPERIMENTS[name]


def reproduction_of(opened: Run) -> Reproduction:
    """The experiment that a run reproduces; its training may be longer or shorter.

    Raises
    ------
    InputError
        If the run differs from it otherwise.
    """
    experiment = opened.experiment
    name, _, settings = experiment.name.partition(" ")
    reproduction = EXPERIMENTS.get(name)
    starts = experiment.network.starts
    if reproduction is not None and settings in reproduction.recipes and starts:
        with suppress(InputError):
            methods = list(dict.fromkeys(member_methods(experiment)))
            for like in reproduction.variants(settings, methods, len(set(starts))):
                if like.model_copy(update={"training": experiment.training}) == experiment:
                    return reproduction
    raise InputError(
        f"{opened.path} is not a run of `paper-mlp`: use `brainrnn resume {opened.path}`"
    )


def finish(
    reproduction: Reproduction, opened: Run, *, quiet: bool
) -> tuple[Outcome, dict[str, Any]]:
    """Train a run to its end and write its results.

    Their ``seconds`` are those of the call that reached the last step.
    """
    start = time.perf_counter()
    earlier = Outcome(reproduction, opened).written() if opened.finished else None
    try:
        opened.train(progress=not quiet)
    except InterruptedRun as stopped:
        raise InterruptedRun(str(stopped).replace("brainrnn resume", "paper-mlp resume")) from None
    outcome = Outcome(reproduction, opened, progress=not quiet)
    seconds = time.perf_counter() - start if earlier is None else earlier.get("seconds")
    return outcome, outcome.write(seconds=seconds)


def finish_all(
    chosen: Iterable[Reproduction], choice: Choice, out: Path, *, quiet: bool
) -> Iterator[tuple[Outcome, dict[str, Any]]]:
    """Finish several experiments, in folders of their own under ``out``.

    Raises
    ------
    InputError
        If a folder holds another experiment than the one asked for; nothing is begun then.
    """
    asked = []
    for reproduction in chosen:
        folder = out / f"{reproduction.name}-{choice.settings}"
        exists = (folder / "config.toml").is_file()
        existing = Run.open(folder).experiment if exists else None
        experiment = choice.experiment(reproduction, existing)
        if exists and existing != experiment:
            others = existing is not None and existing.task != experiment.task
            raise InputError(
                f"{folder} holds a run with other {'data (see --data)' if others else 'settings'}: "
                "choose another --out, or delete it"
            )
        asked.append((reproduction, experiment, folder, exists))
    for reproduction, experiment, folder, exists in asked:
        opened = Run.open(folder) if exists else Run.create(folder, experiment)
        outcome = Outcome(reproduction, opened, progress=not quiet)
        written = outcome.written()
        if opened.finished and written is not None:
            yield outcome, written
            continue
        if not quiet:
            click.echo(f"{reproduction.name}: {reproduction.title}", err=True)
        yield finish(reproduction, opened, quiet=quiet)


def show(finished: tuple[Outcome, dict[str, Any]], as_object: bool) -> None:
    """Print the results of one experiment."""
    outcome, result = finished
    if as_object:
        click.echo(json.dumps(result, allow_nan=False, indent=2))
        return
    reproduction = outcome.reproduction
    click.echo(f"{reproduction.name}: {reproduction.title} ({reproduction.shows})")
    click.echo(f"Learned: {outcome.data}\n")
    click.echo(measures(result))
    if reproduction.checks:
        click.echo(f"\n{structures(result)}")
    for text in reproduction.texts:
        click.echo(f"\n{text.source}\n{outcome.text(text)}")
    for name, reason in outcome.left_out.items():
        click.echo(f"\nNot drawn: {name}, because {reason}")
    click.echo(f"\nPictures and numbers of every network: {outcome.run.path}\n")


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input is one line on standard error and exit status 2."""
    sys.exit(run_command_line(cli, "paper-mlp", arguments))
