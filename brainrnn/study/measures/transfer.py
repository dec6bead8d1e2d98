"""New tasks on old modules: how quickly a network learns what it was not trained on."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from brainrnn.analysis import record, task_variance
from brainrnn.config import Count
from brainrnn.streams import Stream, generator
from brainrnn.study.answers import Answer
from brainrnn.study.claims import transfer as claims
from brainrnn.study.damage import task_scores
from brainrnn.study.drawings.transfer import learned_by_step, slowness_and_forgetting
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.newcomer import OneTask, carry_over, larger_suite
from brainrnn.study.plasticity import CONDITIONS, count_entries, free_entries, learn, neuron_sets
from brainrnn.study.report.comparisons import planned
from brainrnn.study.report.settings import name_settings
from brainrnn.study.report.tables import summarise
from brainrnn.study.slowness import between_conditions, between_methods, network_means, slowness
from brainrnn.study.subject import Cell, Subject, untrained
from brainrnn.study.tables import transfer as tables
from brainrnn.task import Suite
from brainrnn.training.loop import TrainingSpec


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

    dense: ClassVar[bool] = True
    held: ClassVar[tuple[str, ...]] = ("batch", "trials", "old_trials")
    kind: Literal["transfer"] = "transfer"
    tasks: tuple[str, ...] = Field(
        ("dlyanti", "dnms", "ctxdm2", "dlydm2"),
        min_length=1,
        description="tasks to learn, which the study's networks are not trained on",
    )
    criterion: float = Field(
        0.9, gt=0, le=1, description="share of the best possible accuracy at which one is learned"
    )
    steps: Count = Field(1000, description="steps after which learning is given up")
    every: Count = Field(5, description="steps between two measurements of accuracy")
    batch: Count = Field(64, description="trials per step")
    learning_rate: float = Field(3e-4, gt=0, le=1e38, description="of Adam, constant")
    trials: Count = Field(100, description="trials of the new task to measure accuracy in")
    old_trials: Count = Field(40, description="trials of each task known before, likewise")

    def answer(self, subject: Subject) -> Answer:
        """An item for every new task and condition.

        ``steps`` is where the criterion was reached, or given up where ``reached`` is false;
        ``forgetting`` the drop of the mean accuracy in the known tasks until then.
        """
        experiment = subject.cell.experiment
        suite = larger_suite(experiment.task, subject.suite, self.tasks)
        net = carry_over(subject.net, subject.suite, suite)
        brain = subject.analysed().isel(member=0)
        rng = generator(subject.seed, Stream.TRANSFER)
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
            activity = record(net, suite, name, trials=experiment.analysis.trials, rng=rng)
            variance = task_variance(activity).isel(member=0).values
            sets = neuron_sets(brain.module.values, variance, rng)
            for condition in CONDITIONS:
                neurons = sets.get(condition)
                fresh = condition == "new"
                one = net.select(0)
                if fresh:
                    one = untrained(experiment.network, suite, subject.seed)
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
                        "old_before": np.nan if fresh else before[known].mean(),
                        "old_after": np.nan if fresh else after,
                        "forgetting": np.nan if fresh else before[known].mean() - after,
                    }
                    | learned
                )
        return Answer(pd.DataFrame(rows), {"old_ceiling": float(suite.ceiling()[known].mean())})

    def check_one(self, cell: Cell, suite: Suite) -> None:
        """The new tasks must be tasks, and new."""
        larger_suite(cell.experiment.task, suite, self.tasks)

    def findings(self, rows: pd.DataFrame) -> Findings:
        """How quickly each method's networks learn, and what they forget."""
        rows = slowness(name_settings(rows), self.steps)
        rows = rows.assign(condition=rows.condition.map(CONDITIONS))
        networks = network_means(rows)
        methods, conditions = between_methods(networks), between_conditions(networks)
        found = Findings()
        found.tables["Each method"] = summarise(
            rows, {"label": "method", "condition": "free"}, tables.describe
        )
        found.tables["Between methods, paired by seed"] = methods
        found.tables["Between conditions, paired by network"] = conditions
        found.tables["Each task"] = summarise(
            rows, {"task": "task", "label": "method"}, tables.by_condition
        )
        found.tables["Each network"] = networks.assign(
            condition=networks.condition.map({words: name for name, words in CONDITIONS.items()})
        )
        found.claims = [
            *claims.learned(rows),
            *claims.conditions(conditions),
            *claims.between(planned(methods, self.pairs, rows)),
            *claims.known(networks),
        ]
        found.notes = claims.NOTES
        found.figures["learning"] = learned_by_step(rows, self.every, self.steps, self.criterion)
        found.figures["forgetting"] = slowness_and_forgetting(networks)
        return found
