"""A training step, forward and backward, against ``torch.nn.RNN`` with a linear readout."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

import brainrnn as br
from benchmarks.timing import Comparison, compare
from brainrnn.task import Task, Trials
from tasks import cog20


def comparisons() -> Iterator[Comparison]:
    suite = cog20(dt=100)
    trials = suite.sample(128, np.random.default_rng(0))
    net = br.RNN.for_suite(suite, sites=br.grid(20, 20), tau=100)
    recurrent = torch.nn.RNN(suite.n_inputs, 400, nonlinearity="relu")
    readout = torch.nn.Linear(400, suite.n_outputs)
    with torch.no_grad():
        recurrent.weight_ih_l0.copy_(net.w_in[0])
        recurrent.weight_hh_l0.copy_(net.w_rec[0])
        readout.weight.copy_(net.w_out[0])
        for bias in (recurrent.bias_ih_l0, recurrent.bias_hh_l0, readout.bias):
            bias.zero_()

    def theirs() -> torch.Tensor:
        return readout(recurrent(trials.inputs)[0])[None]

    def padded() -> torch.Tensor:
        return net(trials.inputs)

    def packed() -> torch.Tensor:
        return net(trials.inputs, trials.lengths)

    torch.testing.assert_close(padded(), theirs(), rtol=1e-3, atol=1e-3)
    shape = "400 relu neurons, 128 trials of 20-Cog"
    for case, ours in (("padded like theirs", padded), ("lengths given", packed)):
        yield compare(
            f"{shape}, {case}", _step(ours, suite, trials), _step(theirs, suite, trials), rounds=15
        )


def _step(outputs: Callable[[], torch.Tensor], suite: Task, trials: Trials) -> Callable[[], None]:
    return lambda: suite.loss(outputs(), trials).sum().backward()
