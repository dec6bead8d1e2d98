"""New tasks on old modules: how quickly a network learns what it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import Field
from scipy import stats
from torch import Tensor

from brainrnn.analysis import analyse, record, task_variance
from brainrnn.errors import InputError
from brainrnn.networks import RNN
from brainrnn.plots.style import FAINT, module_colours, new_figure, open_frame
from brainrnn.runs.experiment import build_network, load_suite
from brainrnn.study.damage import task_scores
from brainrnn.study.findings.comparisons import control
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.inference import paired
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.newcomer import OneTask, carry_over
from brainrnn.study.subject import Cell, Subject
from brainrnn.task import Suite
from brainrnn.training.loop import Trainer, TrainingSpec
from brainrnn.wiring_cost.method import BIMT
from brainrnn.wiring_cost.swap import SwapSpec

CONDITIONS = {
    "all": "everything free",
    "rule": "rule input and readout free",
    "module": "one module free",
    "random": "random neurons free",
    "new": "new network",
}
_COMPARED = {
    "slowness": ("learns more quickly", "learns more slowly"),
    "forgetting": ("forgets less", "forgets more"),
}
_ASKED = (("module", "random"), ("all", "new"))
_PLANNED = (*_ASKED, ("module", "all"), ("rule", "all"))
_NETWORK = ["label", "seed"]
_ALONE = BIMT(strength=0.0, swap=SwapSpec(algorithm="none"))


class TransferMeasure(Measure):
    """Tasks that the network was not trained on, learned one by one, each from the trained network.

    The network gets an input for the new task's rule, which has no weight yet, and trains on the
    new task alone, until its accuracy there is ``criterion`` of the best possible. Free to change
    is (1) everything; (2) the new rule's input weights, and the readout; (3) one functional module:
    all weights into and out of its neurons, their inputs, biases and readout; (4) as a control as
    many random active neurons in the same way; (5) everything, in a network that has not been
    trained before. The module is the one with the largest share of the task variance in the new
    task before learning, as it is the one that what is new there reaches most. A network's modules
    are those of the study's analysis, in the tasks that it knows.

    There is no penalty and there are no swaps, and the learning rate is constant, whatever the
    method: methods differ in what training has made of the network, not in how it learns now.
    """

    kind: Literal["transfer"] = "transfer"
    tasks: tuple[str, ...] = Field(
        ("dlyanti", "dnms", "ctxdm2", "dlydm2"),
        min_length=1,
        description="tasks to learn, which the study's networks are not trained on",
    )
    criterion: float = Field(
        0.9, gt=0, le=1, description="share of the best possible accuracy at which one is learned"
    )
    steps: int = Field(1000, ge=1, description="steps after which learning is given up")
    every: int = Field(5, ge=1, description="steps between two measurements of accuracy")
    batch: int = Field(64, ge=1, description="trials per step")
    learning_rate: float = Field(3e-4, gt=0, description="of Adam, constant")
    trials: int = Field(100, ge=1, description="trials of the new task to measure accuracy in")
    old_trials: int = Field(40, ge=1, description="trials of each task known before, likewise")

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for every new task and condition.

        ``steps`` is where the criterion was reached, or given up where ``reached`` is false;
        ``forgetting`` the drop of the mean accuracy in the known tasks until then.
        """
        suite = self._larger_suite(subject.cell, subject.suite)
        net = carry_over(subject.net, subject.suite, suite)
        spec = subject.cell.experiment.analysis
        brain = analyse(subject.net, subject.suite, spec, seed=subject.seed).isel(member=0)
        rng = np.random.default_rng([subject.seed, 41])
        old = suite.held_out(self.old_trials, rng)
        before = task_scores(net, suite, old)[0]
        known = [suite.names.index(name) for name in subject.suite.names]
        rows = []
        for name in self.tasks:
            task = OneTask(suite, name)
            activity = record(net, suite, name, trials=spec.trials, rng=rng)
            variance = task_variance(activity).isel(member=0).values
            sets = neuron_sets(brain.module.values, variance, rng)
            for condition in CONDITIONS:
                neurons = sets.get(condition)
                fresh = condition == "new"
                one = self._new(subject, suite) if fresh else net.select(0)
                free = free_entries(one, condition, task, neurons)
                learned = self._learn(one, task, free, subject.seed)
                after = task_scores(one, suite, old)[0][known].mean()
                rows.append(
                    {
                        "task": name,
                        "condition": condition,
                        "neurons": one.n_hidden if neurons is None else int(neurons.sum()),
                        "entries": _count(one, free),
                        "old_ceiling": float(suite.ceiling()[known].mean()),
                        "old_before": np.nan if fresh else before[known].mean(),
                        "old_after": np.nan if fresh else after,
                        "forgetting": np.nan if fresh else before[known].mean() - after,
                    }
                    | learned
                )
        return pd.DataFrame(rows)

    def check_one(self, cell: Cell, suite: Suite) -> None:
        """The new tasks must be tasks, and new."""
        self._larger_suite(cell, suite)

    def _larger_suite(self, cell: Cell, known: Suite) -> Suite:
        """The tasks that the network knows, and the new ones."""
        for name in self.tasks:
            if name in known.names:
                raise InputError(
                    f"{name!r} is to be a new task, but the networks are trained on it: leave it "
                    "out of experiment.task.names or of measure.tasks"
                )
        names = (*known.names, *self.tasks)
        suite = load_suite(cell.experiment.task.model_copy(update={"names": names}))
        assert isinstance(suite, Suite)
        return suite

    def _new(self, subject: Subject, suite: Suite) -> RNN:
        net = build_network(subject.cell.experiment.network, suite, seed=subject.seed)
        assert isinstance(net, RNN)
        return net

    def _learn(
        self, net: RNN, task: OneTask, free: dict[str, Tensor] | None, seed: int
    ) -> dict[str, object]:
        """Train until the criterion is reached, or to the last step."""
        spec = TrainingSpec(
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            decay="none",
            log_every=self.steps,
            evaluate_every=self.every,
            evaluation_trials=self.trials,
        )
        # The same trials for every network and condition of a seed.
        trainer = Trainer(net, task, _ALONE, spec, seed=seed, free=free)
        ceiling = float(task.ceiling()[0])
        before = score = float(trainer.evaluate()[1])
        if score < self.criterion * ceiling:
            for record_ in trainer.records():
                for row in record_.metrics:
                    score = row["accuracy"]
                if record_.metrics and score >= self.criterion * ceiling:
                    break
        return {
            "ceiling": ceiling,
            "new_before": before,
            "new_after": score,
            "steps": trainer.step,
            "reached": score >= self.criterion * ceiling,
        }

    def findings(self, rows: pd.DataFrame) -> Findings:
        """How quickly each method's networks learn, and what they forget."""
        rows = slowness(name_settings(rows), self.steps)
        networks = _networks(rows)
        methods, conditions = _between_methods(networks), _between_conditions(networks)
        found = Findings()
        found.tables["Each method"] = _methods(rows)
        found.tables["Between methods, paired by seed"] = methods
        found.tables["Between conditions, paired by network"] = conditions
        found.tables["Each task"] = _tasks(rows)
        found.tables["Each network"] = networks
        found.words = [
            *_accuracy_words(rows),
            _size_words(networks),
            *_words(rows),
            *_method_words(methods),
            *_condition_words(conditions),
        ]
        found.figures["learning"] = (
            _learning(rows, self.every, self.steps),
            "Share of new tasks learned, over tasks and networks, against training steps, by what "
            f"was free to change. A task is learned at {self.criterion:.0%} of the best possible "
            f"accuracy; it is given up after {self.steps} steps. New networks of a seed are the "
            "same whatever the method, and their lines lie on each other.",
        )
        found.figures["forgetting"] = (
            _dots(networks),
            "Left: share of all learnings of the same task, by any network in any condition, that "
            "took fewer steps. Right: how much accuracy in the tasks known before is lost until "
            "the new one is learned or given up. A dot is a network, the mean over its new tasks; "
            "a bar is the mean of its method.",
        )
        return found


def neuron_sets(
    module: np.ndarray, variance: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Neurons that are set free together, (unit,) bool each.

    Parameters
    ----------
    module : (unit,) int
        -1 for inactive neurons.
    variance : (unit,)
        Task variance in the new task.
    rng : numpy Generator

    Returns
    -------
    dict
        ``module``, the one with the largest sum of variance, and ``random``, as many active ones.
    """
    active = np.flatnonzero(module >= 0)
    if not len(active):  # nothing to choose from
        none = np.zeros(len(module), bool)
        return {"module": none, "random": none}
    total = np.bincount(module[active], weights=variance[active])
    chosen = module == total.argmax()
    some = rng.choice(active, int(chosen.sum()), replace=False)
    return {"module": chosen, "random": np.isin(np.arange(len(module)), some)}


def free_entries(
    net: RNN, condition: str, task: OneTask, neurons: np.ndarray | None
) -> dict[str, Tensor] | None:
    """Which entries of each parameter may change, broadcast to its shape; None: all.

    Parameters
    ----------
    net : RNN
    condition : str
        One of ``CONDITIONS``.
    task : OneTask
        The new task.
    neurons : (unit,) bool, optional
        Those that are free, where not all are.
    """
    if condition in ("all", "new"):
        return None
    if condition == "rule":
        column = torch.zeros(net.w_in.shape[2], dtype=torch.bool)
        column[task.input_groups["rule"].start + task.index] = True
        everything = torch.tensor(True)
        return {"w_in": column, "w_out": everything, "b_out": everything}
    assert neurons is not None
    of = torch.from_numpy(neurons)
    into = of.repeat(net.w_rec.shape[1] // net.n_hidden)  # once for every gate
    return {
        "w_in": into[:, None],
        "w_rec": into[:, None] | of,
        "b_rec": into,
        "w_out": of,
    }


def _count(net: RNN, free: dict[str, Tensor] | None) -> int:
    """How many entries may change."""
    parameters = dict(net.named_parameters())
    if free is None:
        return sum(value.numel() for value in parameters.values())
    return sum(int(mask.expand(parameters[name].shape).sum()) for name, mask in free.items())


def slowness(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Rows with the share of all learnings of the same task that took fewer steps, 0 to 1.

    Half of those that took as many count. All learning is given up after equally many steps, so
    what was not learned is slower than all that was, and as slow as what was not learned either:
    Gehan's scores of censored data (1965, Biometrika 52:203), which need no more than ranks here.
    """
    steps = rows.steps.where(rows.reached, limit + 1)
    by_task = steps.groupby(rows.task)
    rank = by_task.transform(lambda one: (stats.rankdata(one) - 0.5) / len(one))
    return rows.assign(slowness=rank)


def _networks(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over new tasks: networks, not tasks, are the sample."""
    group = rows.groupby([*_NETWORK, "condition"], sort=False)
    columns = ["old_before", "neurons", "reached", "steps", "slowness", "forgetting", "new_before"]
    return group[columns].mean().reset_index()


def _between_methods(networks: pd.DataFrame) -> pd.DataFrame:
    """Every two methods in each condition; new networks of a seed are the same in all methods."""
    table = []
    for condition, group in networks[networks.condition != "new"].groupby("condition", sort=False):
        each = {str(label): one for label, one in group.groupby("label", sort=False)}
        table += [
            {"condition": CONDITIONS[str(condition)], "method": one, "against": other, **test}
            for one, other in combinations(each, 2)
            for test in _paired(each[one], each[other])
        ]
    return control(pd.DataFrame(table))


def _between_conditions(networks: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of conditions that the question is about, in each method."""
    table = []
    for label, group in networks.groupby("label", sort=False):
        each = {str(name): one for name, one in group.groupby("condition", sort=False)}
        table += [
            {"method": label, "condition": CONDITIONS[one], "against": CONDITIONS[other], **test}
            for one, other in _PLANNED
            for test in _paired(each[one], each[other])
        ]
    return control(pd.DataFrame(table))


def _paired(one: pd.DataFrame, other: pd.DataFrame) -> Iterator[dict[str, object]]:
    for quantity in _COMPARED:
        test = paired(one.set_index("seed")[quantity], other.set_index("seed")[quantity])
        if test["n"]:  # a new network forgets nothing
            yield {"quantity": quantity, **test}


def _methods(rows: pd.DataFrame) -> pd.DataFrame:
    table = []
    for (label, condition), group in rows.groupby(["label", "condition"], sort=False):
        reached, fresh = group[group.reached], condition == "new"
        table.append(
            {
                "method": label,
                "free": CONDITIONS[str(condition)],
                "neurons": f"{group.neurons.mean():.0f}",
                "weights and biases": f"{group.entries.mean():.0f}",
                "accuracy before": f"{group.new_before.mean():.3f}",
                "learned": f"{len(reached)} of {len(group)}",
                "without a step": int((reached.steps == 0).sum()),
                "steps: median of each task": _medians(group),
                "known tasks before": "" if fresh else f"{group.old_before.mean():.3f}",
                "forgetting": "" if fresh else f"{group.forgetting.mean():.3f}",
                "forgetting where learned": ""
                if fresh or reached.empty
                else f"{reached.forgetting.mean():.3f}",
            }
        )
    return pd.DataFrame(table)


def _median(group: pd.DataFrame) -> str:
    """Median of steps; where it falls on what was not learned, more than the last step."""
    value = group.steps.where(group.reached, np.inf).median()
    return f"{value:g}" if np.isfinite(value) else f"> {group.steps.max():g}"


def _medians(group: pd.DataFrame) -> str:
    """Tasks one by one, for they take as different numbers of steps as methods do."""
    return ", ".join(f"{task} {_median(one)}" for task, one in group.groupby("task", sort=False))


def _tasks(rows: pd.DataFrame) -> pd.DataFrame:
    table = []
    for (task, label), group in rows.groupby(["task", "label"], sort=False):
        row = {"task": task, "method": label}
        for condition, one in group.groupby("condition", sort=False):
            name = CONDITIONS[str(condition)]
            row[name] = f"{_median(one)} ({one.reached.sum()} of {len(one)})"
        table.append(row)
    return pd.DataFrame(table)


def _accuracy_words(rows: pd.DataFrame) -> Iterator[str]:
    """How far accuracies in the known tasks are matched, and whether that matters."""
    first = rows[rows.condition == "all"]
    each = first.groupby(_NETWORK, sort=False).agg({"old_before": "first", "slowness": "mean"})
    mean = each.old_before.groupby("label", sort=False).mean()
    shown = ", ".join(f"{label} {value:.3f}" for label, value in mean.items())
    words = (
        f"Accuracy in the tasks known before learning (best possible "
        f"{rows.old_ceiling.mean():.3f}): {shown}; methods differ by {np.ptp(mean):.3f} at most"
    )
    inside = each - each.groupby("label").transform("mean")
    if len(each) - len(mean) >= 3 and (inside.abs().max() > 0).all():
        r = stats.pearsonr(inside.old_before, inside.slowness).statistic
        freedom = len(each) - len(mean) - 1  # a mean is taken of each method
        p = 2 * stats.t.sf(abs(r) * np.sqrt(freedom / (1 - r**2)), freedom)
        link = (
            "how accurate one is says nothing about how quickly it learns"
            if p >= 0.05
            else "those that are more accurate learn new tasks more slowly"
            if r > 0
            else "those that are more accurate learn new tasks more quickly"
        )
        words += (
            f". Among networks of one method, {link} (r = {r:.2f}, p = {p:.2g}, n = {len(each)})"
        )
    yield words + "."


def _size_words(networks: pd.DataFrame) -> str:
    """What methods differ in besides the method where only a module is free."""
    some = networks[networks.condition == "module"].groupby("label", sort=False).neurons.mean()
    shown = ", ".join(f"{label} {value:.0f}" for label, value in some.items())
    return (
        f"Neurons of the module that is free: {shown}. Where sizes differ, methods differ there in "
        "how much may change, and a module compares with as many random neurons of its network."
    )


def _words(rows: pd.DataFrame) -> Iterator[str]:
    for label, group in rows.groupby("label", sort=False):
        parts = []
        for condition, one in group.groupby("condition", sort=False):
            forgotten = "" if condition == "new" else f", forgetting {one.forgetting.mean():.3f}"
            parts.append(
                f"{CONDITIONS[str(condition)]} {one.reached.sum()} of {len(one)} "
                f"({_medians(one)}){forgotten}"
            )
        yield f"**{label}**, new tasks learned (median steps): {'; '.join(parts)}."


def _method_words(methods: pd.DataFrame) -> Iterator[str]:
    """Which differences between methods stand, and that the others do not."""
    if methods.empty:
        return
    stand = methods[methods.p_controlled < 0.05]
    for row in stand.to_dict("records"):
        how = _COMPARED[row["quantity"]][int(row["difference"] > 0)]
        yield (
            f"With {row['condition']}, **{row['method']}** {how} than **{row['against']}** "
            f"({row['difference']:+.3f}, p = {row['p_controlled']:.2g}, n = {row['n']})."
        )
    yield (
        f"{len(methods) - len(stand)} of {len(methods)} comparisons between methods show no "
        "difference (controlled p of at least 0.05)."
    )


def _condition_words(conditions: pd.DataFrame) -> Iterator[str]:
    """What a module is worth beside random neurons, and training before beside none."""
    for (label, one, other), group in conditions.groupby(
        ["method", "condition", "against"], sort=False
    ):
        if (one, other) not in [(CONDITIONS[a], CONDITIONS[b]) for a, b in _ASKED]:
            continue
        parts = [
            f"{row['quantity']} {row['difference']:+.3f} (p = {row['p_controlled']:.2g})"
            for row in group.to_dict("records")
        ]
        yield f"**{label}**, {one} against {other}: {', '.join(parts)}, n = {group.n.max()}."


def _learning(rows: pd.DataFrame, first: int, limit: int) -> Figure:
    """Share learned against steps, a panel for each condition, a line for each method."""
    conditions = list(rows.condition.drop_duplicates())
    figure = new_figure(1 + 2.3 * len(conditions), 3.0)
    axes = figure.subplots(1, len(conditions), sharex=True, sharey=True, squeeze=False)[0]
    for ax, condition in zip(axes, conditions, strict=True):
        some = rows[rows.condition == condition]
        for i, (label, one) in enumerate(some.groupby("label", sort=False)):
            steps = np.sort(one.steps[one.reached].to_numpy())
            x = np.concatenate([[first / 2], steps.clip(first / 2), [limit]])
            y = np.append(np.arange(len(steps) + 1), len(steps)) / len(one)
            ax.step(x, y, where="post", color=module_colours(i), lw=1.5, label=str(label))
        ax.set_title(CONDITIONS[condition], loc="left", fontsize=9)
        ax.set_xscale("log")
        ax.set_xlabel("training steps")
        ax.set_ylim(0, 1.03)
        open_frame(ax)
    axes[0].set_ylabel("share of new tasks learned")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=8.5)
    return figure


def _dots(networks: pd.DataFrame) -> Figure:
    """Every network's means, conditions in rows."""
    labels = list(networks.label.drop_duplicates())
    conditions = list(networks.condition.drop_duplicates())
    figure = new_figure(9.5, 1.2 + 0.3 * len(labels) * len(conditions))
    axes = figure.subplots(1, 2, sharey=True)
    names = {"slowness": "slowness, 0 to 1", "forgetting": "accuracy lost in known tasks"}
    for ax, (quantity, words) in zip(axes, names.items(), strict=True):
        for row, condition in enumerate(conditions):
            for i, label in enumerate(labels):
                here = (networks.condition == condition) & (networks.label == label)
                values = networks[here][quantity].to_numpy()
                y = row + (i - (len(labels) - 1) / 2) * 0.8 / len(labels)
                spread = np.linspace(-0.06, 0.06, len(values)) if len(values) > 1 else 0
                colour = module_colours(i)
                ax.plot(values, y + spread, "o", ms=4.5, mew=0, alpha=0.85, color=colour)
                ax.plot([values.mean()] * 2, [y - 0.12, y + 0.12], color=colour, lw=2)
            ax.axhline(row + 0.5, color="#eef0f2", lw=0.8, zorder=0)
        ax.axvline(0, color=FAINT, lw=0.8, zorder=0)
        ax.set_xlabel(words)
        ax.set_ylim(len(conditions) - 0.5, -0.5)
        open_frame(ax)
    axes[0].set_yticks(range(len(conditions)), [CONDITIONS[name] for name in conditions])
    for i, label in enumerate(labels):
        axes[0].plot([], [], "o", ms=5, mew=0, color=module_colours(i), label=label)
    figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize=8.5)
    return figure
