"""Brain-inspired modular training to an accuracy, against the same written plainly.

Ours trains for real. The other side, a plain PyTorch loop over time on batches of
``neurogym.Dataset`` with one evaluation of the cost for every candidate swap, would take hours: its
steps and a sample of its swap candidates are timed, and it is granted as many steps as we took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import neurogym as ngym
import numpy as np
import torch
from torch import Tensor

import brainrnn as br
from benchmarks.rnn_step import plain_loop
from benchmarks.tasks import neurogym_batches
from benchmarks.timing import Comparison, Setting, timed
from brainrnn.training.loop import Trainer, TrainingSpec
from tasks import cog20

ACCURACY = 0.90
_BATCH = 128


def comparisons(setting: Setting) -> Iterator[Comparison]:
    side = setting.either(20, 8)
    suite = cog20(dt=100, names=["go", "dlygo"] if setting.small else None)
    sites = br.grid(side, side)
    method = br.BIMT(strength=1e-4, locality=1.0)
    rows = int(suite.sample(1280, np.random.default_rng(0)).lengths.sum() / 10)
    dataset = neurogym_batches(suite.names, dt=100, batch=_BATCH, steps=rows // _BATCH)
    ours, steps = [], []
    for seed in range(setting.either(3, 1)):
        net = br.RNN.for_suite(suite, sites=sites, tau=100, seed=seed).to(setting.device)
        ours.append(
            timed(lambda net=net, seed=seed: steps.append(_train(net, suite, method, seed)))
        )
    a_step = _plain_step(suite, sites, method, dataset, setting.device)
    a_step()
    step = [timed(a_step) for _ in range(setting.either(15, 3))]
    a_candidate, candidates = _plain_swaps(suite, sites, method, setting.device)
    tried = setting.either(200, 20)
    swap = [timed(lambda: a_candidate(tried)) / tried for _ in step]
    every = method.swap.every
    for partners, what in (
        (side * side, "every neuron tries every partner"),
        (30, "30 neurons try every partner"),
        (0, "without swaps"),
    ):
        passes = candidates * partners / (side * side)
        theirs = [n * (np.median(step) + np.median(swap) * passes / every) for n in steps]
        goal = (0.8 if setting.small else 8) if partners == side * side else None
        yield Comparison(
            f"{side * side} neurons, {len(suite.names)} tasks, to {ACCURACY:.2f}: {what}",
            ours,
            theirs,
            least=goal,
            figures={"steps": float(np.median(steps))},
        )


def _train(net: br.RNN, suite: br.Suite, method: br.BIMT, seed: int) -> int:
    """Train to the accuracy and return the steps it took."""
    spec = TrainingSpec(steps=3000, evaluate_every=50)
    for record in Trainer(net, suite, method, spec, seed=seed).records():
        if any(row["accuracy"] >= ACCURACY for row in record.metrics):
            return record.step
    raise RuntimeError(f"no accuracy of {ACCURACY} in {spec.steps} steps")


def _plain_step(
    suite: br.Suite, sites: Tensor, method: br.BIMT, dataset: ngym.Dataset, device: str
) -> Callable[[], None]:
    net = br.RNN.for_suite(suite, sites=sites, tau=100).to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    lengths = torch.cdist(sites, sites).float().to(device)

    def step() -> None:
        inputs, targets = dataset()
        x = torch.from_numpy(inputs).float().to(device)
        y = torch.from_numpy(targets).long().to(device)
        optimizer.zero_grad()
        outputs = plain_loop(net, x)[0]
        loss = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten())
        loss = loss + method.strength * _plain_cost(net, lengths, method)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()

    return step


def _plain_cost(net: br.RNN, lengths: Tensor, method: br.BIMT) -> Tensor:
    others = [net.w_in, net.b_rec, net.w_out, net.b_out]
    recurrent = (net.w_rec[0].abs() * (method.locality * lengths + method.offset)).sum()
    return recurrent + method.offset * sum(value.abs().sum() for value in others)


def _plain_swaps(
    suite: br.Suite, sites: Tensor, method: br.BIMT, device: str
) -> tuple[Callable[[int], None], int]:
    """Try some candidate swaps by exchanging weights and evaluating the cost; and how many are."""
    net = br.RNN.for_suite(suite, sites=sites, tau=100).to(device)
    lengths = torch.cdist(sites, sites).float().to(device)
    weight = net.w_rec[0].detach().abs()
    n = len(sites)

    def candidates(count: int) -> None:
        order = torch.arange(n, device=device)
        costs = []
        for j in range(1, count + 1):
            order[[0, j % n]] = order[[j % n, 0]]
            moved = weight[order][:, order]
            costs.append((moved * (method.locality * lengths + method.offset)).sum())
            order[[0, j % n]] = order[[j % n, 0]]
        int(torch.stack(costs).argmin())

    return candidates, n * (n - 1)
