"""A training step of a recurrent network, forward and backward, against other ways to take it.

A plain loop over time; ``torch.nn.RNN``, which has no leaky units; and nothing but the matrix
products of the shapes that trials of these lengths need, which no step can do without. The
ratio to that one is the share of the bound that is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import brainrnn as br
from benchmarks.timing import Comparison, Setting, compare
from brainrnn.task import Task, Trials
from tasks import cog20


def comparisons(setting: Setting) -> Iterator[Comparison]:
    suite = cog20(dt=100)
    side = setting.either(20, 10)
    trials = suite.sample(128, np.random.default_rng(0)).to(setting.device)
    case = f"{side * side} {{}} neurons, 128 trials of 20-Cog"
    rounds = setting.either(21, 5)
    for tau in (100, 200):
        net = br.RNN.for_suite(suite, sites=br.grid(side, side), tau=tau).to(setting.device)
        units = case.format("relu" if tau == 100 else "leaky relu")

        def ours(net: br.RNN = net) -> Tensor:
            return net(trials.inputs, trials.lengths)

        def loop(net: br.RNN = net) -> Tensor:
            return plain_loop(net, trials.inputs)

        _same(ours(), loop(), trials)
        others = {"a plain loop": (_step(loop, suite, trials), (2.2, 0.7))}
        if tau == 100:
            reference = _as_torch_has_it(net)
            others["torch.nn.RNN"] = (
                _step(partial(reference, trials.inputs), suite, trials),
                (1, 0.4),
            )
        others["the bare products"] = (_products(net, trials), (0.8, 0.25))
        for name, (theirs, (goal, floor)) in others.items():
            yield compare(
                f"{units}, {name}",
                _step(ours, suite, trials),
                theirs,
                rounds=rounds,
                least=floor if setting.small else goal,
            )


def plain_loop(net: br.RNN, inputs: Tensor) -> Tensor:
    """Outputs, (1, time, trial, output), as one writes it in PyTorch."""
    w_in, w_rec, b_rec, w_out, b_out = (value[0] for value in net.parameters())
    state = inputs.new_zeros(inputs.shape[1], len(b_rec))
    outputs = []
    for x in inputs:
        rate = torch.relu(state @ w_rec.T + x @ w_in.T + b_rec)
        state = rate if net.alpha == 1 else (1 - net.alpha) * state + net.alpha * rate
        outputs.append(state @ w_out.T + b_out)
    return torch.stack(outputs)[None]


def _as_torch_has_it(net: br.RNN) -> Callable[[Tensor], Tensor]:
    recurrent = nn.RNN(net.w_in.shape[2], net.n_hidden, nonlinearity="relu")
    readout = nn.Linear(net.n_hidden, net.w_out.shape[1])
    with torch.no_grad():
        recurrent.weight_ih_l0.copy_(net.w_in[0])
        recurrent.weight_hh_l0.copy_(net.w_rec[0])
        readout.weight.copy_(net.w_out[0])
        for bias in (recurrent.bias_ih_l0, recurrent.bias_hh_l0, readout.bias):
            bias.zero_()
    recurrent, readout = recurrent.to(net.w_in.device), readout.to(net.w_in.device)
    return lambda inputs: readout(recurrent(inputs)[0])[None]


def _products(net: br.RNN, trials: Trials) -> Callable[[], None]:
    """The products of a step, packed: forward, backward through time, and weight gradients."""
    packed = pack_padded_sequence(trials.inputs, trials.lengths, enforce_sorted=False)
    x, sizes = packed.data, packed.batch_sizes.tolist()
    w_in, w_rec, _, w_out, _ = (value[0].detach() for value in net.parameters())
    states = torch.randn(len(x), len(w_rec), device=x.device)
    logits = torch.randn(len(x), len(w_out), device=x.device)
    first = sizes[0]

    def products() -> None:
        _ = x @ w_in.T
        for n in sizes[1:]:
            _ = states[:n] @ w_rec.T
        _ = states @ w_out.T
        _ = logits @ w_out
        for n in sizes[1:]:
            _ = states[:n] @ w_rec
        _ = logits.T @ states
        _ = states[first:].T @ states[:-first]
        _ = states.T @ x

    return products


def _same(ours: Tensor, theirs: Tensor, trials: Trials) -> None:
    steps = torch.arange(ours.shape[1], device=ours.device)[:, None]
    inside = steps < trials.lengths.to(ours.device)
    torch.testing.assert_close(ours, theirs * inside[..., None], rtol=1e-3, atol=1e-3)


def _step(outputs: Callable[[], Tensor], suite: Task, trials: Trials) -> Callable[[], None]:
    return lambda: suite.loss(outputs(), trials).sum().backward()
