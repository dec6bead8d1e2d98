"""Can a network change its resolution? Refined or coarse-grained, then trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pydantic import Field

from brainrnn.analysis import analyse
from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.errors import InputError
from brainrnn.networks import RNN, RNNNetwork
from brainrnn.networks.resize import grid_shape, merge, refine
from brainrnn.plots.style import FAINT, INK, module_colours, new_figure, open_frame
from brainrnn.runs.experiment import build_network
from brainrnn.study.findings.comparisons import control
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.findings.tables import mean_sd, median_range
from brainrnn.study.grouping import activity_moments, at_random, by_correlation, by_place
from brainrnn.study.inference import paired
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.subject import Cell, Subject
from brainrnn.study.wiring import wiring_length
from brainrnn.task import Suite
from brainrnn.training.loop import Trainer
from brainrnn.wiring_cost.method import BIMT

CHANGES = {
    "kept": "as it was",
    "refined": "refined",
    "place": "merged by place",
    "correlation": "merged by correlation",
    "random": "merged at random",
    "scratch": "from scratch",
}
_CONTROLS = ("scratch", "kept")
_COLOURS = dict(zip(CHANGES, (7, 0, 2, 1, 3, -1), strict=True))


class ResolutionMeasure(Measure):
    """Accuracy and map before a change of resolution, right after it, and after training on.

    A network on the coarse grid is refined with its function kept
    (:func:`brainrnn.networks.resize.refine`). One on the fine grid is merged to the coarse one
    (:func:`brainrnn.networks.resize.merge`): neurons that share a cell of it; neurons that are
    active together; or, as a control, random sets of equal size. All train on as the network did,
    with the full strength of its penalty, beside two controls: the network as it was, trained on
    for as many steps; and a new network of the other resolution, trained for as many steps by the
    network's own method, whose schedule then runs over these steps.
    """

    kind: Literal["resolution"] = "resolution"
    shape: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (10, 10),
        min_length=1,
        max_length=3,
        description="the coarse grid: networks on it are refined, those on the fine one merged",
    )
    factor: int = Field(2, ge=2, description="sites of the fine grid for one along every side")
    spread: float = Field(
        0.5, ge=0, lt=1, description="how unequally what a neuron sent is divided, 0: equally"
    )
    moment_trials: int = Field(16, ge=1, description="trials per task to correlate activity in")
    steps: int = Field(1000, ge=1, description="training steps after the change")
    batch: int = Field(64, ge=1, description="trials per step")
    every: int = Field(50, ge=1, description="steps between two measurements of accuracy")
    trials: int = Field(50, ge=1, description="trials per task to measure accuracy in")

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for every change and step at which accuracy is measured.

        ``change`` says what became of the network, ``step`` how many steps it has trained since.
        What belongs to the map is there at the first and the last step.
        """
        method = subject.cell.experiment.method
        on = method.model_copy(update={"schedule": ((0.0, 1.0),)})
        new = self._new(subject)
        changed = {"kept": subject.net.select(0), **self._change(subject)}
        tables = [self._train(subject, change, net, on) for change, net in changed.items()]
        tables.append(self._train(subject, "scratch", new, method))
        return pd.concat(tables, ignore_index=True)

    def check_one(self, cell: Cell, suite: Suite) -> None:
        """Its grid must be the coarse or the fine one."""
        spec = cell.experiment.network
        assert isinstance(spec, RNNNetwork)
        if spec.geometry != "grid":
            raise InputError("only networks on a grid can change its resolution: network.geometry")
        self._other(spec.shape)

    def _other(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The fine grid for the coarse, and the coarse one for the fine."""
        fine = tuple(self.factor * side for side in self.shape)
        if shape not in (self.shape, fine):
            raise InputError(
                f"a network on a grid of {list(shape)} sites is neither on the coarse grid "
                f"{list(self.shape)} nor on the fine one {list(fine)}: change measure.shape"
            )
        return fine if shape == self.shape else self.shape

    def _new(self, subject: Subject) -> RNN:
        """An untrained network of the resolution that this one will get."""
        spec = subject.cell.experiment.network
        assert isinstance(spec, RNNNetwork)
        spec = spec.model_copy(update={"shape": self._other(grid_shape(subject.net))})
        net = build_network(spec, subject.suite, seed=subject.seed)
        assert isinstance(net, RNN)
        return net

    def _change(self, subject: Subject) -> dict[str, RNN]:
        """The network at its new resolution, by how it got there."""
        net = subject.net
        if grid_shape(net) == self.shape:
            return {"refined": refine(net, self.factor, spread=self.spread, seed=subject.seed)}
        rng = np.random.default_rng([subject.seed, 31])
        moments = activity_moments(net, subject.suite, trials=self.moment_trials, rng=rng)
        n = int(np.prod(self.shape))
        groups = {
            "place": by_place(net, self.factor),
            "correlation": by_correlation(moments, n),
            "random": at_random(net.n_hidden, n, rng),
        }
        return {how: merge(net, group, moments.second, self.shape) for how, group in groups.items()}

    def _train(self, subject: Subject, change: str, net: RNN, method: BIMT) -> pd.DataFrame:
        """Train a network and follow its accuracy, always in the same trials."""
        spec = subject.cell.experiment.training.model_copy(
            update={
                "steps": self.steps,
                "batch": self.batch,
                "log_every": self.steps,
                "evaluate_every": self.every,
                "evaluation_trials": self.trials,
            }
        )
        trainer = Trainer(net, subject.suite, method, spec, seed=subject.seed)
        scores = {0: float(trainer.evaluate()[1].mean())}
        about = {0: _describe(net, subject)}
        for record in trainer.records():
            for row in record.metrics:
                scores[record.step] = row["accuracy"]
        about[self.steps] = _describe(net, subject)
        ceiling = float(np.mean(subject.suite.ceiling()))
        return pd.DataFrame(
            [
                {
                    "change": change,
                    "neurons": net.n_hidden,
                    "step": step,
                    "accuracy": score,
                    "ceiling": ceiling,
                }
                | about.get(step, {})
                for step, score in scores.items()
            ]
        )

    def findings(self, rows: pd.DataFrame) -> Findings:
        """What a change costs, what training on gives back, and what becomes of the map."""
        rows = name_settings(rows)
        stages = staged(rows)
        compared = _compared(stages)
        found = Findings()
        found.tables["Accuracy"] = _accuracy(stages)
        found.tables["Against the controls, paired by seed"] = compared
        found.tables["Map"] = _maps(stages)
        found.tables["Each network"] = stages.drop(columns="method")
        found.words = [*_words(stages, compared), *_map_words(stages)]
        found.figures["accuracy"] = (
            _curves(rows),
            "Accuracy on all tasks after a change of resolution, at step 0, and in training "
            "afterwards. Lines are means over seeds, bands from the lowest to the highest seed; "
            "dashed, the best possible. The networks as they were, and new ones of the other "
            "resolution, train for as many steps.",
        )
        found.figures["map"] = (
            _map_lines(stages),
            "Both measures of the map before the change, right after it and after training on, as "
            "z against random arrangements of each network's own modules: below 0 is more modular "
            "in space than chance. A line is a network; the band holds 95 % of a normal null. The "
            "parts of a divided neuron lie side by side and do the same, so that a refined network "
            "is far below 0 by construction: it is not drawn right after the change, and after "
            "training on it compares with networks refined without a penalty.",
        )
        return found


def _describe(net: RNN, subject: Subject) -> dict[str, float]:
    """The network's wiring and map."""
    brain = analyse(net, subject.suite, subject.cell.experiment.analysis, seed=subject.seed)
    one = brain.isel(member=0)
    statistics = {
        f"{name}_{field}": float(one[field].sel(statistic=name))
        for name in MEASURES
        for field in ("z", "p")
    }
    return {
        "active": int(one.active.sum()),
        "modules": int(one.clusters),
        "absent": float(one.sparsity),
        "wiring_length": float(wiring_length(net)[0][0]),
    } | statistics


def staged(rows: pd.DataFrame) -> pd.DataFrame:
    """Each changed network once: before the change, right after it, and after training on.

    Returns
    -------
    DataFrame
        A row for each network and change, with ``neurons`` and, of every quantity x of the rows,
        ``x_before`` (of the network as it was), ``x_after`` and ``x_trained``.
    """
    key = ["method", "label", "seed"]
    first, last = rows[rows.step == 0], rows[rows.step == rows.step.max()]
    quantities = ["accuracy", "active", "modules", "absent", "wiring_length"]
    quantities += [f"{name}_{field}" for name in MEASURES for field in ("z", "p")]
    before = first[first.change == "kept"].set_index(key)[quantities].add_suffix("_before")
    after = first.set_index([*key, "change"])[["neurons", "ceiling", *quantities]]
    after = after.rename(columns={name: f"{name}_after" for name in quantities})
    trained = last.set_index([*key, "change"])[quantities].add_suffix("_trained")
    return after.join(trained).reset_index("change").join(before).reset_index()


def _accuracy(stages: pd.DataFrame) -> pd.DataFrame:
    table = []
    for (label, change), group in stages.groupby(["label", "change"], sort=False):
        new = change == "scratch"
        table.append(
            {
                "method": label,
                "network": CHANGES[str(change)],
                "neurons": int(group.neurons.iloc[0]),
                "networks": len(group),
                "before": "" if new else mean_sd(group.accuracy_before),
                "right after": mean_sd(group.accuracy_after),
                "trained on": mean_sd(group.accuracy_trained),
                "best possible": f"{group.ceiling.mean():.3f}",
                "wiring length, trained on": f"{group.wiring_length_trained.mean():.1f}",
                "weights absent, trained on": f"{group.absent_trained.mean():.1%}",
            }
        )
    return pd.DataFrame(table)


def _compared(stages: pd.DataFrame) -> pd.DataFrame:
    """Changed networks against both controls, and ways to merge against each other."""
    table = []
    merged = ("place", "correlation", "random")
    pairs = [(one, other) for one in ("refined", *merged) for other in _CONTROLS]
    pairs += [("place", "random"), ("correlation", "random"), ("correlation", "place")]
    for label, group in stages.groupby("label", sort=False):
        by = {str(change): one.set_index("seed") for change, one in group.groupby("change")}
        for one, other in pairs:
            for stage in ("after", "trained"):
                # Right after the change, the network that it was and a new one say nothing new.
                if one not in by or other not in by or (stage == "after" and other in _CONTROLS):
                    continue
                value = f"accuracy_{stage}"
                table.append(
                    {
                        "method": label,
                        "network": CHANGES[one],
                        "against": CHANGES[other],
                        "when": "right after" if stage == "after" else "trained on",
                    }
                    | paired(by[one][value], by[other][value])
                )
    return control(pd.DataFrame(table))


def _maps(stages: pd.DataFrame) -> pd.DataFrame:
    table = []
    for (label, change), group in stages.groupby(["label", "change"], sort=False):
        row: dict[str, object] = {"method": label, "network": CHANGES[str(change)]}
        for stage, words in (("before", "before"), ("after", "right after"), ("trained", "later")):
            if change == "scratch" and stage == "before":
                row |= {f"z {what}, {words}": "" for what in MEASURES.values()}
                row[f"both p < 0.05, {words}"] = ""
                continue
            for name, what in MEASURES.items():
                row[f"z {what}, {words}"] = median_range(group[f"{name}_z_{stage}"])
            row[f"both p < 0.05, {words}"] = f"{_beyond(group, stage)} of {len(group)}"
        row["active, later"] = f"{group.active_trained.mean():.0f}"
        table.append(row)
    return pd.DataFrame(table)


def _beyond(group: pd.DataFrame, stage: str) -> int:
    """Networks whose map is beyond chance by both measures."""
    return int((group[[f"{name}_p_{stage}" for name in MEASURES]] < 0.05).all(axis=1).sum())


def _words(stages: pd.DataFrame, compared: pd.DataFrame) -> Iterator[str]:
    for (label, change), group in stages.groupby(["label", "change"], sort=False):
        if change in _CONTROLS:
            continue
        tests = compared[(compared.method == label) & (compared.network == CHANGES[str(change)])]
        tests = tests[tests.when == "trained on"].set_index("against")
        against = [
            f"{row.difference:+.3f} against {words} (p = {row.p_controlled:.2g})"
            for control, words in (
                ("scratch", "as many steps from scratch"),
                ("kept", "the network as it was, trained on"),
            )
            for row in [tests.loc[CHANGES[control]]]
        ]
        yield (
            f"**{label}**, {CHANGES[str(change)]}: accuracy {group.accuracy_before.mean():.3f} "
            f"before, {group.accuracy_after.mean():.3f} right after, "
            f"{group.accuracy_trained.mean():.3f} after training on: {'; '.join(against)}."
        )


def _map_words(stages: pd.DataFrame) -> Iterator[str]:
    for label, group in stages.groupby("label", sort=False):
        before = group[group.change == "kept"]
        parts = [
            f"{CHANGES[str(change)]}, in {_beyond(one, 'after')} right after"
            + (" (by construction: copies lie side by side)" if change == "refined" else "")
            + f" and {_beyond(one, 'trained')} after training on"
            for change, one in group.groupby("change", sort=False)
            if change not in _CONTROLS
        ]
        yield (
            f"**{label}**: the map is beyond chance by both measures (p < 0.05) in "
            f"{_beyond(before, 'before')} of {len(before)} networks before; {'; '.join(parts)}."
        )


def _directions(labelled: pd.DataFrame) -> list[list[str]]:
    """Labels of the networks that are refined, and of those that are merged."""
    refined = labelled[labelled.change == "refined"].label.drop_duplicates()
    merged = labelled[labelled.change == "place"].label.drop_duplicates()
    return [list(labels) for labels in (refined, merged) if len(labels)]


def _legend(figure: Figure, handles: dict[str, Line2D]) -> None:
    """What the lines are, once for all panels, below them."""
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8.5,
    )


def _curves(rows: pd.DataFrame) -> Figure:
    """Accuracy against steps, a panel for each method and direction."""
    lines = _directions(rows)
    columns = max(map(len, lines))
    figure = new_figure(1.4 + 2.9 * columns, 0.7 + 2.7 * len(lines))
    axes = figure.subplots(len(lines), columns, sharex=True, sharey=True, squeeze=False)
    handles: dict[str, Line2D] = {}
    for ax in axes.flat:
        ax.set_axis_off()
    for i, labels in enumerate(lines):
        for ax, label in zip(axes[i], labels, strict=False):
            ax.set_axis_on()
            group = rows[rows.label == label]
            for change, one in group.groupby("change", sort=False):
                name = CHANGES[str(change)]
                curve = one.groupby("step").accuracy.agg(["mean", "min", "max"])
                style = _style(str(change))
                ax.fill_between(
                    curve.index, curve["min"], curve["max"], alpha=0.15, lw=0, color=style["color"]
                )
                handles[name] = ax.plot(curve.index, curve["mean"], lw=1.5, **style)[0]
            ax.axhline(group.ceiling.mean(), color=FAINT, lw=0.8, ls=(0, (4, 3)), zorder=0)
            ax.set_title(label, loc="left", fontsize=10)
            ax.set_ylim(0, 1.02)
            open_frame(ax)
            below = lines[i + 1] if i + 1 < len(lines) else []
            if labels.index(label) >= len(below):  # nothing below it
                ax.set_xlabel("training steps after the change")
                ax.tick_params(labelbottom=True)
        axes[i, 0].set_ylabel("accuracy")
    _legend(figure, handles)
    return figure


def _style(change: str) -> dict[str, Any]:
    colour = INK if change == "scratch" else tuple(module_colours(_COLOURS[change]))
    return {"color": colour, "ls": (0, (1, 1)) if change == "scratch" else "-"}


def _map_lines(stages: pd.DataFrame) -> Figure:
    """Both z through the stages, a line for each network; rows are measures, columns methods."""
    labels = [label for line in _directions(stages) for label in line]
    figure = new_figure(1.4 + 2.1 * len(labels), 6.0)
    axes = figure.subplots(len(MEASURES), len(labels), sharex=True, sharey="row", squeeze=False)
    handles: dict[str, Line2D] = {}
    for row, (name, words) in zip(axes, MEASURES.items(), strict=True):
        for ax, label in zip(row, labels, strict=True):
            _lines(ax, stages[stages.label == label], name, handles)
            ax.set_title(label if name == "isolated" else "", loc="left", fontsize=9)
        row[0].set_ylabel(f"z of {words}")
    _legend(figure, handles)
    return figure


def _lines(ax: Axes, group: pd.DataFrame, name: str, handles: dict[str, Line2D]) -> None:
    ax.axhspan(-1.96, 1.96, color="#eef0f2", zorder=0)
    ax.axhline(0, color=FAINT, lw=0.8, zorder=1)
    for change, one in group.groupby("change", sort=False):
        x = {"scratch": [1, 2], "refined": [0, 2]}.get(str(change), [0, 1, 2])
        stages = np.array(["before", "after", "trained"])[x]
        z = one[[f"{name}_z_{stage}" for stage in stages]].to_numpy().T
        lines = ax.plot(x, z, marker="o", ms=3, mew=0, lw=1, alpha=0.8, **_style(str(change)))
        handles[CHANGES[str(change)]] = lines[0]
    ax.set_xticks(range(3), ["before", "after", "trained"], fontsize=8)
    ax.set_xlim(-0.3, 2.3)
    open_frame(ax)
