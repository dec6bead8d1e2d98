"""What a finished run of an experiment says: numbers by method, structures, pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.errors import InputError
from brainrnn.files import atomic_path
from brainrnn.plots import animate, draw_network, draw_networks, save_figure
from brainrnn.plots.style import new_figure
from brainrnn.progress import counted
from brainrnn.runs.folder import Run
from paper_mlp.methods import METHODS
from paper_mlp.panels import FinishedRun, Tabulate, Text
from paper_mlp.reproduction import MeanAndSd, Reproduction, member_methods
from tasks.fixed import FixedTask

_COLUMNS = 4  # of networks that all have the same method
MEASURES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "modularity")


class Outcome(FinishedRun):
    """A run of an experiment of the paper, trained to its end.

    Parameters
    ----------
    reproduction : Reproduction
    run : Run
    progress : bool
        Whether to show progress bars.
    """

    def __init__(self, reproduction: Reproduction, run: Run, *, progress: bool = False) -> None:
        self.reproduction, self.run, self.progress = reproduction, run, progress
        self.left_out: dict[str, str] = {}  # pictures that cannot be drawn, and why
        self.facts: dict[str, str] = {}  # that were measured, by name

    @property
    def net(self) -> Any:
        """All networks, one member for every method and seed; of the experiment's kind."""
        return self.run.net

    @property
    def task(self) -> FixedTask:
        """What they learned."""
        return cast(FixedTask, self.run.suite)

    @cached_property
    def methods(self) -> list[str]:
        """The method of every member."""
        return member_methods(self.run.experiment)

    @cached_property
    def measured(self) -> pd.DataFrame:
        """A row per network: method, seed, losses, accuracies, modularity.

        ``best_test_loss`` and ``best_test_accuracy`` are the best of all evaluations in training.
        """
        analysis = self.run.analysed()  # modularity takes minutes where there are many connections
        analysis = self.run.analyse(progress=self.progress) if analysis is None else analysis
        table = analysis.to_dataframe().reset_index(drop=True)
        network = self.run.experiment.network
        table.insert(0, "method", self.methods)
        table.insert(1, "seed", network.starts)
        if len(self.reproduction.perturbations) > 1:
            table.insert(2, "perturbation", network.perturbation)
        evaluated = self.run.metrics().groupby("member")
        return table.assign(
            best_test_loss=evaluated.test_loss.min(), best_test_accuracy=evaluated.accuracy.max()
        )

    @cached_property
    def table(self) -> pd.DataFrame:
        """The measured numbers of every network, and which structures of the paper it has."""
        checks = self.reproduction.checks.items()
        looked = counted(checks, "looking for", "structure", enabled=self.progress)
        found = {name: np.asarray(check(self.net, self.task)) for name, check in looked}
        return self.measured.assign(**found)

    @cached_property
    def data(self) -> str:
        """What was learned, and from how much, in a few words."""
        task = self.task
        examples = f"{len(task.train)} training and {len(task.test)} test examples"
        return f"{task.descriptions[task.name]}; {examples}"

    @cached_property
    def instead(self) -> bool:
        """Whether other data than the paper's were taken, because those were not at hand."""
        names = self.run.experiment.task.names
        return names is not None and list(names) != list(self.reproduction.task.get("names", names))

    @cached_property
    def untrained(self) -> dict[str, float]:
        """How often networks have each structure before training; empty without snapshots.

        What training has not made says nothing of the method.
        """
        first = next(iter(self.run.evolution()), None)
        if first is None or first[0] > 0:
            return {}
        net = first[1].select(*self.members(self.methods[0]))  # methods share their starts
        checks = self.reproduction.checks.items()
        return {name: float(np.mean(check(net, self.task))) for name, check in checks}

    @cached_property
    def published(self) -> bool:
        """Whether the experiment's notes and remarks are about this run."""
        reproduction = self.reproduction
        told = reproduction.experiment("notebook", reproduction.methods, reproduction.seeds)
        return self.run.experiment == told

    def members(self, method: str) -> list[int]:
        """The networks of a method."""
        return [i for i, name in enumerate(self.methods) if name == method]

    @cached_property
    def shown(self) -> int:
        """The network that single pictures show.

        Of BIMT (or else of the last method) the first seed with most of the paper's structures; how
        often each occurs is in the table.
        """
        members = self.members("bimt") or self.members(self.methods[-1])
        found = self.table[list(self.reproduction.checks)].sum(axis=1)
        return max(members, key=lambda m: (found[m], -m))

    def values(self, column: str, method: str) -> MeanAndSd:
        """Mean and standard deviation over the seeds of a method (ddof 1; 0 of one seed)."""
        table = self.measured if column in self.measured else self.table
        rows = table.loc[table.method == method, column].astype(float)
        sd = float(rows.std(skipna=False)) if len(rows) > 1 else 0.0
        return float(rows.mean(skipna=False)), sd

    def as_json(self) -> dict[str, Any]:
        """Means and sds over seeds, structure rates and the paper's values, by method."""
        expected = self.reproduction.expected
        experiment = self.run.experiment
        methods = {}
        for method in dict.fromkeys(self.methods):
            measured = {name: _pair(self.values(name, method)) for name in MEASURES}
            entry: dict[str, Any] = {k: v for k, v in measured.items() if v is not None}
            entry["structure"] = {
                name: self.values(name, method)[0] for name in self.reproduction.checks
            }
            if expected is not None:
                entry["paper"] = {
                    table: {"measure": measure} | (_pair(values[method]) or {})
                    for table, measure, values in (
                        ("table1", expected.measure, expected.table1),
                        ("table2", "modularity", expected.table2),
                    )
                    if method in values
                }
            methods[method] = entry
        return {
            "experiment": self.reproduction.name,
            "settings": experiment.name.split()[-1],
            "shows": self.reproduction.shows,
            "task": self.data,
            "steps": experiment.training.steps,
            "seeds": int(self.table.seed.nunique()),
            "methods": methods,
            "untrained": self.untrained,
            "folder": str(self.run.path),
        }

    def figures(self) -> dict[str, Figure]:
        """Every picture of the experiment but the animation, by name."""
        labels: Any = {
            "input_labels": self.task.input_labels,
            "output_labels": self.task.output_labels,
        }
        drawing = self.reproduction.drawing
        extra = dict(drawing(self)) if drawing else {}
        kinds = list(dict.fromkeys(self.methods))
        first = [(METHODS[m].title, self.net, self.members(m)[0]) for m in kinds]
        every = [(self.label(i), self.net, i) for i in range(len(self.methods))]
        figures = {
            "graph": draw_network(self.net, self.shown, **labels, title=self._caption(), **extra),
            "methods": draw_networks(first, **labels),
            "seeds": draw_networks(
                every,
                columns=len(every) // len(kinds) if len(kinds) > 1 else min(len(every), _COLUMNS),
                row_titles=[METHODS[m].title for m in kinds] if len(kinds) > 1 else (),
                **labels,
            ),
        }
        panels = self.reproduction.panels
        for panel in counted(panels, "drawing", "picture", enabled=self.progress):
            try:
                figures[panel.name] = panel.draw(self)
            except InputError as reason:  # a network that has not learned has nothing to draw
                self.left_out[panel.name] = str(reason)
        return figures

    def moments(self, n: int) -> list[tuple[int, Any]]:
        """About ``n`` snapshots spread over training, the first and the last among them.

        Raises
        ------
        InputError
            If the run has no snapshots.
        """
        every = list(self.run.evolution())
        if not every:
            raise InputError(f"{self.run.path} holds no snapshots of its training")
        index = np.unique(np.linspace(0, len(every) - 1, n).round().astype(int))
        return [every[i] for i in index]

    def at(self, progress: float) -> Any:
        """All networks at the snapshot nearest to that fraction of training, 0 to 1.

        Raises
        ------
        InputError
            If the run has no snapshots.
        """
        step = progress * self.run.experiment.training.steps
        every = self.run.evolution()
        nearest = min(every, key=lambda moment: abs(moment[0] - step), default=None)
        if nearest is None:
            raise InputError(f"{self.run.path} holds no snapshots of its training")
        return nearest[1]

    def fill(self, text: str) -> str:
        """A remark or a note with its numbers, which are measured when they are first needed."""
        return text.format_map(_Facts(self))

    def of_method(self, method: str, tabulate: Tabulate) -> str:
        """A table of the networks of a method, with their seeds, as text."""
        members = self.members(method)
        if not members:
            return f"there is no network of {METHODS[method].title} in this run"
        table = tabulate(self.net.select(*members), self.task)
        table = table if "member" in table else table.reset_index(names="member")
        table["member"] = [self.table.seed[members[i]] for i in table["member"]]
        return table.rename(columns={"member": "seed"}).to_string(index=False, float_format="%.3f")

    def label(self, member: int) -> str:
        """What tells a member from the others of its method."""
        row = self.table.iloc[member]
        noise = f", noise {row.perturbation:g}" if "perturbation" in row else ""
        return f"seed {row.seed}{noise}"

    def _caption(self) -> str:
        row = self.table.iloc[self.shown]
        measured = (
            f"test accuracy {row.test_accuracy:.1%}"
            if self.task.classes
            else f"test loss {row.test_loss:.1e}"
        )
        return (
            f"{self.reproduction.title}: {METHODS[row.method].title}, {self.label(self.shown)}\n"
            f"{measured}, Q = {row.modularity:.2f}"
        )

    def text(self, text: Text) -> str:
        """A result in words; or in their place why there are none."""
        try:
            return text.write(self).rstrip()
        except InputError as reason:
            return str(reason)

    def animation(self) -> list[Path]:
        """Film the shown network's graph in training: a GIF, and an MP4 where there is ffmpeg."""
        title = METHODS[self.methods[self.shown]].title

        def draw(step: int, net: PlacedNetwork, ax: Axes | None = None) -> Figure:
            return draw_network(
                net,
                self.shown,
                ax,
                input_labels=self.task.input_labels,
                output_labels=self.task.output_labels,
                title=f"{self.reproduction.title}\n{title}: step {step}",
            )

        def frames() -> Iterator[Figure]:
            # All in one place, which is laid out once, so that nothing jumps.
            model = draw(0, self.net)
            model.draw_without_rendering()
            place = model.axes[0].get_position().bounds
            figure = new_figure(*model.get_size_inches())
            figure.set_layout_engine("none")
            for step, net in self.run.evolution():
                figure.clear()
                yield draw(step, net, figure.add_axes(place))

        return animate(frames(), self.run.path / "figures" / "evolution", progress=self.progress)

    def write(self, *, seconds: float | None = None) -> dict[str, Any]:
        """Write results.csv, texts, figures and results.json into the run folder; the results."""
        folder = self.run.path
        with atomic_path(folder / "results.csv") as temporary:
            self.table.to_csv(temporary, index=False, float_format="%.6g")
        for text in self.reproduction.texts:
            with atomic_path(folder / f"{text.name}.txt") as temporary:
                temporary.write_text(self.text(text) + "\n", "utf-8")
        for name, figure in self.figures().items():
            save_figure(figure, folder / "figures" / name)
        try:
            self.animation()
        except InputError as reason:
            self.left_out["evolution"] = str(reason)
        result = self.as_json() | {"left_out": self.left_out}
        result |= {} if seconds is None else {"seconds": round(seconds, 1)}
        # Last, because whoever finds it takes the results for complete.
        with atomic_path(folder / "results.json") as temporary:
            temporary.write_text(json.dumps(result, indent=2, allow_nan=False) + "\n", "utf-8")
        return result


class _Facts(dict[str, str]):
    """The facts of an outcome by name, each made once."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.facts)
        self._outcome = outcome

    def __missing__(self, name: str) -> str:
        outcome = self._outcome
        try:
            fact = outcome.reproduction.facts[name](outcome)
        except InputError:  # of networks or of files that are not there
            fact = "(not known here)"
        outcome.facts[name] = fact
        return fact


def results_in(folder: Path) -> dict[str, Any] | None:
    """The results that were written into a run's folder, if any."""
    try:
        result = json.loads((folder / "results.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None  # none yet, or damaged: they are made again
    known = isinstance(result, dict) and result.keys() >= {"experiment", "methods"}
    return result | {"folder": str(folder)} if known else None


def _pair(values: MeanAndSd) -> dict[str, float] | None:
    mean, sd = values
    return {"mean": mean, "sd": sd} if np.isfinite(mean) else None
