"""New tasks on old modules: how quickly a network learns what it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import stats

from brainrnn.analysis import analyse, record, task_variance
from brainrnn.networks import RNN
from brainrnn.runs.experiment import build_network
from brainrnn.study.damage import task_scores
from brainrnn.study.drawings.transfer import learned_by_step, slowness_and_forgetting
from brainrnn.study.findings.comparisons import compare
from brainrnn.study.findings.settings import name_settings
from brainrnn.study.findings.tables import summarise
from brainrnn.study.findings.words import count, listed
from brainrnn.study.inference import correlation_inside
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.newcomer import OneTask, carry_over, larger_suite
from brainrnn.study.plasticity import CONDITIONS, count_entries, free_entries, learn, neuron_sets
from brainrnn.study.subject import Cell, Subject
from brainrnn.task import Suite
from brainrnn.training.loop import TrainingSpec

_COMPARED = {
    "slowness": ("learns more quickly", "learns more slowly"),
    "forgetting": ("forgets less", "forgets more"),
}
_QUANTITIES = {quantity: quantity for quantity in _COMPARED}
_ASKED = tuple((CONDITIONS[a], CONDITIONS[b]) for a, b in (("module", "random"), ("all", "new")))
_PLANNED = (
    *_ASKED,
    (CONDITIONS["module"], CONDITIONS["all"]),
    (CONDITIONS["rule"], CONDITIONS["all"]),
)


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
        suite = larger_suite(subject.cell.experiment.task, subject.suite, self.tasks)
        net = carry_over(subject.net, subject.suite, suite)
        spec = subject.cell.experiment.analysis
        brain = analyse(subject.net, subject.suite, spec, seed=subject.seed).isel(member=0)
        rng = np.random.default_rng([subject.seed, 41])
        old = suite.held_out(self.old_trials, rng)
        before = task_scores(net, suite, old)[0]
        known = [suite.names.index(name) for name in subject.suite.names]
        training = TrainingSpec(
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            decay="none",
            log_every=self.steps,
            evaluate_every=self.every,
            evaluation_trials=self.trials,
        )
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
                learned = learn(
                    one, task, training, free=free, criterion=self.criterion, seed=subject.seed
                )
                after = task_scores(one, suite, old)[0][known].mean()
                rows.append(
                    {
                        "task": name,
                        "condition": condition,
                        "neurons": one.n_hidden if neurons is None else int(neurons.sum()),
                        "entries": count_entries(one, free),
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
        larger_suite(cell.experiment.task, suite, self.tasks)

    def _new(self, subject: Subject, suite: Suite) -> RNN:
        net = build_network(subject.cell.experiment.network, suite, seed=subject.seed)
        assert isinstance(net, RNN)
        return net

    def findings(self, rows: pd.DataFrame) -> Findings:
        """How quickly each method's networks learn, and what they forget."""
        rows = slowness(name_settings(rows), self.steps)
        rows = rows.assign(condition=rows.condition.map(CONDITIONS))
        networks = _networks(rows)
        methods, conditions = between_methods(networks), between_conditions(networks)
        found = Findings()
        found.tables["Each method"] = summarise(
            rows, {"label": "method", "condition": "free"}, _describe
        )
        found.tables["Between methods, paired by seed"] = methods
        found.tables["Between conditions, paired by network"] = conditions
        found.tables["Each task"] = summarise(
            rows, {"task": "task", "label": "method"}, _by_condition
        )
        found.tables["Each network"] = networks.assign(
            condition=networks.condition.map({words: name for name, words in CONDITIONS.items()})
        )
        found.words = [
            *_accuracy_words(rows),
            _size_words(networks),
            *_words(rows),
            *_method_words(methods),
            *_condition_words(conditions),
        ]
        found.figures["learning"] = (
            learned_by_step(rows, self.every, self.steps),
            "Share of new tasks learned, over tasks and networks, against training steps, by what "
            f"was free to change. A task is learned at {self.criterion:.0%} of the best possible "
            f"accuracy; it is given up after {self.steps} steps. New networks of a seed are the "
            "same whatever the method, and their lines lie on each other.",
        )
        found.figures["forgetting"] = (
            slowness_and_forgetting(networks),
            "Left: share of all learnings of the same task, by any network in any condition, that "
            "took fewer steps. Right: how much accuracy in the tasks known before is lost until "
            "the new one is learned or given up. A dot is a network, the mean over its new tasks; "
            "a bar is the mean of its method.",
        )
        return found


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
    group = rows.groupby(["label", "seed", "condition"], sort=False)
    columns = ["old_before", "neurons", "reached", "steps", "slowness", "forgetting", "new_before"]
    return group[columns].mean().reset_index()


def between_methods(networks: pd.DataFrame) -> pd.DataFrame:
    """Every two methods in each condition; new networks of a seed are the same in all methods."""
    trained = networks[networks.condition != CONDITIONS["new"]]
    return compare(trained, _QUANTITIES, within={"condition": "condition"})


def between_conditions(networks: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of conditions that the question is about, in each method."""
    sides = ("condition", "condition")
    tests = compare(
        networks, _QUANTITIES, within={"label": "method"}, between=sides, pairs=_PLANNED
    )
    return tests[tests.n > 0]  # a new network forgets nothing


def _describe(group: pd.DataFrame) -> dict[str, object]:
    """A method's networks in one condition; what was known before says nothing of a new one."""
    reached, fresh = group[group.reached], group.old_before.isna().all()
    return {
        "neurons": f"{group.neurons.mean():.0f}",
        "weights and biases": f"{group.entries.mean():.0f}",
        "accuracy before": f"{group.new_before.mean():.3f}",
        "learned": count(group.reached),
        "without a step": int((reached.steps == 0).sum()),
        "steps: median of each task": _medians(group),
        "known tasks before": "" if fresh else f"{group.old_before.mean():.3f}",
        "forgetting": "" if fresh else f"{group.forgetting.mean():.3f}",
        "forgetting where learned": ""
        if fresh or reached.empty
        else f"{reached.forgetting.mean():.3f}",
    }


def _median(group: pd.DataFrame) -> str:
    """Median of steps; where it falls on what was not learned, more than the last step."""
    value = group.steps.where(group.reached, np.inf).median()
    return f"{value:g}" if np.isfinite(value) else f"> {group.steps.max():g}"


def _medians(group: pd.DataFrame) -> str:
    """Tasks one by one, for they take as different numbers of steps as methods do."""
    return ", ".join(f"{task} {_median(one)}" for task, one in group.groupby("task", sort=False))


def _by_condition(group: pd.DataFrame) -> dict[str, object]:
    return {
        str(condition): f"{_median(one)} ({count(one.reached)})"
        for condition, one in group.groupby("condition", sort=False)
    }


def _accuracy_words(rows: pd.DataFrame) -> Iterator[str]:
    """How far accuracies in the known tasks are matched, and whether that matters."""
    first = rows[rows.condition == CONDITIONS["all"]].groupby(["label", "seed"], sort=False)
    each = first.agg({"old_before": "first", "slowness": "mean"}).reset_index("label")
    mean = each.groupby("label", sort=False).old_before.mean()
    words = (
        f"Accuracy in the tasks known before learning (best possible "
        f"{rows.old_ceiling.mean():.3f}): {listed(mean)}; methods differ by {np.ptp(mean):.3f} at "
        "most"
    )
    r, p = correlation_inside(each.old_before, each.slowness, each.label)
    if np.isfinite(r):
        link = "how accurate one is says nothing about how quickly it learns"
        if p < 0.05:
            how = "slowly" if r > 0 else "quickly"
            link = f"those that are more accurate learn new tasks more {how}"
        words += (
            f". Among networks of one method, {link} (r = {r:.2f}, p = {p:.2g}, n = {len(each)})"
        )
    yield words + "."


def _size_words(networks: pd.DataFrame) -> str:
    """What methods differ in besides the method where only a module is free."""
    some = networks[networks.condition == CONDITIONS["module"]]
    return (
        f"Neurons of the module that is free: "
        f"{listed(some.groupby('label', sort=False).neurons.mean(), 0)}. Where sizes differ, "
        "methods differ there in how much may change, and a module compares with as many random "
        "neurons of its network."
    )


def _words(rows: pd.DataFrame) -> Iterator[str]:
    for label, group in rows.groupby("label", sort=False):
        parts = []
        for condition, one in group.groupby("condition", sort=False):
            forgotten = one.forgetting.mean()
            lost = "" if np.isnan(forgotten) else f", forgetting {forgotten:.3f}"
            parts.append(f"{condition} {count(one.reached)} ({_medians(one)}){lost}")
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
        if (one, other) in _ASKED:
            parts = ", ".join(
                f"{row['quantity']} {row['difference']:+.3f} (p = {row['p_controlled']:.2g})"
                for row in group.to_dict("records")
            )
            yield f"**{label}**, {one} against {other}: {parts}, n = {group.n.max()}."
