"""The command line: ``brainrnn train``, ``resume``, ``analyse``, ``plot``, ``study``, ``tasks``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from brainrnn.analysis import (
    as_json,
    feedforward_json,
    feedforward_table,
    statistics_table,
    summary,
)
from brainrnn.config import describe, override
from brainrnn.data import DATA, set_data_folder
from brainrnn.errors import InputError
from brainrnn.plots import plot_trial, save_figure
from brainrnn.runs.experiment import (
    Experiment,
    TaskSpec,
    build,
    load_experiment,
    load_suite,
    on_device,
    suites,
)
from brainrnn.runs.folder import InterruptedRun, Run
from brainrnn.study import conduct, load_study
from brainrnn.task import Suite, Task
from brainrnn.training.loop import DivergedError

RUN = click.argument("run", type=click.Path(path_type=Path))


def _point_to_data(_ctx: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        set_data_folder(folder)


DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_point_to_data,
    help=f"Folder of data sets, such as the four IDX files of MNIST. Default: ${DATA}.",
)


DEVICE = click.option(
    "--device", help="Where to compute: cpu, cuda, cuda:1, ... Default: as configured."
)


class _ConfigCommand(click.Command):
    """A command whose help lists every configuration key."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List key, default and meaning."""
        with formatter.section("Configuration keys, their defaults and meanings"):
            formatter.write_dl(
                [(f"{key} = {default}", text) for key, default, text in describe(Experiment)],
                col_max=44,
            )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="brainrnn", message="brainrnn %(version)s")
def cli() -> None:
    """Train networks that pay for their wiring, and test whether a brain-like map has grown."""


@cli.command(cls=_ConfigCommand)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run; must be new. Default: runs/ and the configuration's name.",
)
@DEVICE
@DATA_DIR
@click.option("--quiet", is_flag=True, help="No progress bar.")
def train(
    config: Path, overrides: tuple[str, ...], out: Path | None, device: str | None, quiet: bool
) -> None:
    """Train the network that CONFIG (a TOML file) describes.

    Any key of the configuration can be overridden: `brainrnn train configs/quick.toml
    training.steps=500 method.strength=1e-4`.
    """
    experiment = on_device(load_experiment(config, overrides), device)
    run = Run.create(out or Path("runs") / config.stem, experiment)
    _train(run, quiet)


@cli.command()
@RUN
@DEVICE
@DATA_DIR
@click.option("--quiet", is_flag=True, help="No progress bar.")
def resume(run: Path, device: str | None, quiet: bool) -> None:
    """Continue an interrupted RUN exactly where it stopped."""
    opened = Run.open(run, device=device)
    if opened.finished:
        click.echo(f"{run} has already reached its last step, {opened.trainer.step}.")
        return
    _train(opened, quiet)


def _train(run: Run, quiet: bool) -> None:
    trainer = run.trainer
    run.train(progress=not quiet)
    loss, score = trainer.evaluate()
    accuracy = score.mean(1)
    if accuracy.isnan().all():
        result = "test loss " + ", ".join(f"{value:.3g}" for value in loss.tolist())
    else:
        result = "accuracy " + ", ".join(f"{value:.3f}" for value in accuracy.tolist())
        ceiling = float(run.suite.ceiling().mean())
        result += f" (best possible {ceiling:.3f})" if np.isfinite(ceiling) else ""
    click.echo(f"Trained {trainer.step} steps; {result}. Run folder: {run.path}")
    click.echo(f"Next: brainrnn analyse {run.path} && brainrnn plot {run.path}")


@cli.command()
@RUN
@click.argument("overrides", nargs=-1, metavar="[analysis.KEY=VALUE]...")
@click.option(
    "--statistics",
    "more",
    is_flag=True,
    help="Also every other statistic of the map, the wiring and the graph: statistics.nc.",
)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object, nothing else.")
@DEVICE
@DATA_DIR
def analyse(
    run: Path, overrides: tuple[str, ...], more: bool, as_object: bool, device: str | None
) -> None:
    """Test whether RUN has grown a map: modules, their places, and 10,000 permutations.

    Of a feed-forward network: losses, accuracies, wiring and Newman's modularity. Writes
    analysis.nc (NetCDF) into the run folder and prints a table.
    """
    opened = Run.open(run, device=device)
    if overrides and not opened.unfolds:
        raise InputError("the analysis of a feed-forward network has no settings: give none")
    if more and not opened.unfolds:
        raise InputError("--statistics is about maps of recurrent networks: leave it out")
    for assignment in overrides:
        if not assignment.startswith("analysis."):
            raise InputError(
                f"cannot override {assignment.partition('=')[0]!r} of a trained run: only keys of "
                "its analysis, such as analysis.k=10"
            )
    values = override(opened.experiment.model_dump(exclude_none=True), overrides)
    brain = opened.analyse(build(Experiment, values).analysis)
    feedforward = not opened.unfolds
    if as_object:
        result = feedforward_json(brain) if feedforward else as_json(brain)
        click.echo(json.dumps(result, allow_nan=False, indent=2))
    else:
        click.echo(feedforward_table(brain) if feedforward else summary(brain))
        click.echo(f"\nWritten: {run / 'analysis.nc'}")
    if more:
        statistics = opened.statistics()
        if not as_object:
            click.echo(f"\n{statistics_table(statistics)}\n\nWritten: {run / 'statistics.nc'}")


@cli.command()
@RUN
@DATA_DIR
def plot(run: Path) -> None:
    """Draw the brain map, the task variance, the null distributions and the training curves.

    Of a feed-forward network: the connectivity graphs and the training curves.
    """
    for path in Run.open(run).plot():
        click.echo(path)


@cli.command()
@click.argument("study")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/studies"),
    show_default=True,
    help="Folder of the networks, which studies share, and of each study's results.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Networks at once, a thread each. Default: one for every processor.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Another folder that gets the report, its tables and its figures (PNG).",
)
@click.option("--quiet", is_flag=True, help="No progress bars.")
def study(
    study: str,
    overrides: tuple[str, ...],
    out: Path,
    jobs: int | None,
    report: Path | None,
    quiet: bool,
) -> None:
    """Train the networks of STUDY, ask all of them its question, and write a report.

    STUDY is a TOML file, or the name of one in configs/studies. The same command goes on where it
    was stopped. Keys can be overridden: `brainrnn study growing_brains 'seeds=[1, 2]'
    experiment.training.steps=500`.
    """
    plan = load_study(study, overrides)
    words = ["brainrnn study", study, *(f"'{text}'" for text in overrides)]
    page = conduct(
        plan, out, workers=jobs, progress=not quiet, report=report, command=" ".join(words)
    )
    click.echo(f"Written: {page}")


@cli.group()
def tasks() -> None:
    """Look at the tasks."""


SUITE = click.option("--suite", default="cog20", show_default=True, help="Suite of tasks.")
DT = click.option("--dt", type=float, help="Duration of a step, ms. Default: the suite's own.")


def _without_none(values: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}


@tasks.command("list")
@SUITE
@DT
def list_tasks(suite: str, dt: float) -> None:
    """List a suite's tasks, the best possible accuracy in each, and what each asks for.

    Of suites that offer many tasks, one at a time or for you to choose, it says which there are.
    """
    loaded = load_suite(build(TaskSpec, _without_none({"suite": suite, "dt": dt})))
    width = max(len(name) for name in loaded.names)
    click.echo(f"{'task':<{width}}  best   description")
    for name, best in zip(loaded.names, loaded.ceiling(), strict=True):
        click.echo(f"{name:<{width}}  {best:.3f}  {loaded.descriptions[name]}")
    others = ", ".join(sorted(suites().keys() - {suite}))
    click.echo(f"\nOther suites (--suite): {others}")


def _suite_of_one(name: str, suite: str, dt: float | None) -> Task:
    """A suite of one task."""
    values = _without_none({"suite": suite, "dt": dt, "names": [name]})
    return load_suite(build(TaskSpec, values))


def _suite_with(name: str) -> str:
    """Name of the first suite that has such a task."""
    usual = TaskSpec.model_fields["suite"].default
    refusals = []
    for suite in sorted(suites(), key=lambda suite: (suite != usual, suite)):
        try:
            _suite_of_one(name, suite, None)
        except InputError as refusal:
            refusals.append(refusal)
        else:
            return suite
    raise refusals[0]


@tasks.command("show")
@click.argument("name")
@click.option("--suite", help="Suite of tasks. Default: the first that has such a task.")
@DT
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Which trial to draw."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Picture to write, .png, .svg or .pdf. Default: NAME.png here.",
)
def show_task(name: str, suite: str | None, dt: float | None, seed: int, out: Path | None) -> None:
    """Draw one trial of task NAME: inputs, target and periods."""
    loaded = _suite_of_one(name, suite or _suite_with(name), dt)
    if not isinstance(loaded, Suite):
        raise InputError(f"the task {name!r} does not unfold in time: nothing to draw")
    trials = loaded.sample(1, np.random.default_rng(seed))
    path = out or Path(f"{name}.png")
    if not path.suffix:
        raise InputError(f"cannot tell the format of the picture {str(path)!r}: end it in .png")
    for written in save_figure(
        plot_trial(loaded, trials, 0), path.with_suffix(""), (path.suffix[1:],)
    ):
        click.echo(written)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input is one line on standard error and exit status 2."""
    sys.exit(run_command_line(cli, "brainrnn", arguments))


def run_command_line(command: click.Command, name: str, arguments: Sequence[str] | None) -> int:
    """Run a command; its exit status, with one line on standard error for whatever went wrong.

    2 for bad input, 1 where training diverged, 130 after an interruption.
    """
    try:
        status = command.main(args=arguments, prog_name=name, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except InterruptedRun as stopped:
        click.echo(str(stopped), err=True)
        return 130
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"{name}: interrupted", err=True)
        return 130
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), err=True)
        return 2
    except click.ClickException as error:
        message, status = error.format_message(), 2
    except InputError as error:
        message, status = str(error), 2
    except DivergedError as error:
        message, status = str(error), 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "alloc" not in str(error):
            raise
        message, status = "not enough memory: use fewer neurons, members or trials at once", 2
    except OSError as error:
        message, status = f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 2
    click.echo(f"{name}: {' '.join(message.split())}", err=True)
    return status
