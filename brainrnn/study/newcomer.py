"""A task that a network does not know: its rule gets a channel, and it is learned alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from brainrnn.errors import InputError, unknown
from brainrnn.networks import RNN
from brainrnn.runs.experiment import TaskSpec, load_suite
from brainrnn.task import Suite, Trials


class OneTask:
    """One task of a suite, alone, with the channels of all; follows ``brainrnn.task.Suite``.

    Parameters
    ----------
    suite : Suite
    name : str
    """

    def __init__(self, suite: Suite, name: str) -> None:
        if name not in suite.names:
            raise InputError(unknown("task", name, suite.names))
        self.suite, self.index = suite, list(suite.names).index(name)
        self.names: tuple[str, ...] = (name,)
        self.descriptions: Mapping[str, str] = {name: suite.descriptions[name]}
        self.n_inputs, self.n_outputs = suite.n_inputs, suite.n_outputs
        self.dt, self.input_groups = suite.dt, suite.input_groups

    def sample(
        self,
        n: int | None,
        rng: np.random.Generator,
        *,
        task: Sequence[int] | np.ndarray | None = None,
    ) -> Trials:
        """Draw ``n`` trials of the task."""
        if n is None:
            raise InputError("these trials are drawn without end: say how many")
        return self.suite.sample(n, rng, task=np.full(n, self.index))

    def held_out(self, n: int, rng: np.random.Generator) -> Trials:
        """Draw ``n`` trials of the task to test on."""
        return self.sample(n, rng)

    def loss(self, outputs: Tensor, batch: Trials) -> Tensor:
        """Weighted mean loss of every member, (member,)."""
        return self.suite.loss(outputs, batch)

    def score(self, outputs: Tensor, batch: Trials) -> Tensor:
        """Whether each trial was answered correctly, (member, trial)."""
        return self.suite.score(outputs, batch)

    def ceiling(self) -> np.ndarray:
        """Best possible mean score, (1,)."""
        return self.suite.ceiling()[[self.index]]


def larger_suite(spec: TaskSpec, known: Suite, new: Sequence[str]) -> Suite:
    """The tasks that a network knows, and new ones after them.

    Parameters
    ----------
    spec : TaskSpec
        Of the tasks that it knows.
    known : Suite
    new : sequence of str

    Raises
    ------
    InputError
        If a task that is to be new is known.
    """
    for name in new:
        if name in known.names:
            raise InputError(
                f"{name!r} is to be a new task, but the networks are trained on it: leave it "
                "out of experiment.task.names or of measure.tasks"
            )
    suite = load_suite(spec.model_copy(update={"names": (*known.names, *new)}))
    assert isinstance(suite, Suite)
    return suite


@torch.no_grad()
def carry_over(net: RNN, known: Suite, suite: Suite) -> RNN:
    """A copy of a network with a rule channel for every task of a larger suite.

    Channels of tasks that it knows are found by name. Those of new tasks have no weight yet: their
    rules say nothing, whatever the network's other weights are like, and the network does in the
    tasks that it knows exactly what it did.

    Parameters
    ----------
    net : RNN
        Made for ``known``.
    known, suite : Suite
        With the same channels but for the rules.

    Raises
    ------
    InputError
        If ``suite`` lacks a task that the network knows, or other channels differ.
    """
    old, new = dict(known.input_groups), dict(suite.input_groups)
    rule, wide = old.pop("rule", slice(0, 0)), new.pop("rule", slice(0, 0))
    for name in known.names:
        if name not in suite.names:
            raise InputError(unknown("task", name, suite.names))
    rules = (rule.stop - rule.start, wide.stop - wide.start)
    if old != new or known.n_outputs != suite.n_outputs:
        raise InputError("a network is carried over between suites that differ in their rules only")
    if rules != (len(known.names), len(suite.names)):
        raise InputError("a network is carried over between suites that have a rule for each task")
    column = torch.arange(known.n_inputs)
    channel = column + (wide.start - rule.start) * (column >= rule.stop)
    channel[rule] = wide.start + torch.tensor([suite.names.index(name) for name in known.names])
    result = net.select(*range(net.members))
    weights = net.w_in.new_zeros(*net.w_in.shape[:2], suite.n_inputs)
    weights[:, :, channel] = net.w_in
    result.w_in = nn.Parameter(weights)
    return result
