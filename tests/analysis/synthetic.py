"""A suite, networks and brains whose analysis is known beforehand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
import xarray as xr

from brainrnn.analysis import active_units
from brainrnn.anatomy.geometry import grid
from brainrnn.anatomy.placed import Placed
from brainrnn.anatomy.wiring import parse_wiring
from brainrnn.task import Trials

TASKS = ("a", "b", "c", "d")


class Suite:
    """Say the sign of a number shown after a fixation of 2 to 4 steps, in trials of any length."""

    names = TASKS
    descriptions = dict.fromkeys(TASKS, "the sign of a number")
    dt = 20.0
    n_inputs = 1 + len(TASKS)
    n_outputs = 2
    input_groups = {"stimulus": slice(0, 1), "rule": slice(1, 1 + len(TASKS))}  # noqa: RUF012

    def sample(self, n, rng, *, task=None):
        task = rng.integers(len(TASKS), size=n) if task is None else np.asarray(task)
        fixation = rng.integers(2, 5, n)
        length = fixation + rng.integers(3, 7, n)
        number = rng.normal(size=n)
        step = np.arange(length.max())[:, None]
        inputs = np.zeros((len(step), n, self.n_inputs), np.float32)
        inputs[..., 0] = np.where((step >= fixation) & (step < length), number * (1 + step), 0)
        inputs[:, np.arange(n), 1 + task] = step < length
        periods = np.stack([np.zeros(n), fixation, fixation, length], 1).reshape(n, 2, 2)
        answer = np.broadcast_to(number > 0, (len(step), n))
        return Trials(
            inputs=torch.from_numpy(inputs),
            targets=torch.from_numpy(answer.astype(np.int64)),
            weights=torch.from_numpy((step < length).astype(np.float32)),
            lengths=torch.from_numpy(length),
            task=torch.from_numpy(task),
            period_names=("fixation", "stimulus"),
            periods=torch.from_numpy(periods.astype(np.int64)),
        )

    def held_out(self, n, rng):
        return self.sample(n * len(TASKS), rng, task=np.repeat(np.arange(len(TASKS)), n))

    def loss(self, outputs, trials):
        return 1 - self.score(outputs, trials).mean(1)

    def score(self, outputs, trials):
        answer = outputs[:, trials.lengths - 1, torch.arange(len(trials))].argmax(-1)
        return (answer == trials.targets[0]).float()

    def ceiling(self):
        return np.array([1.0, 1.0, 0.9, 0.8])


class Net(torch.nn.Module, Placed):
    """Neuron u holds tuning[m, u, task] times the number; member 0 answers rightly, others not."""

    def __init__(self, tuning, positions, w_rec=None):
        super().__init__()
        self.tuning = torch.as_tensor(tuning, dtype=torch.float32)  # (member, unit, task)
        members, units, _ = self.tuning.shape
        places = torch.as_tensor(positions).expand(members, units, -1)
        if w_rec is None:
            w_rec = np.random.default_rng(0).normal(size=(members, units, units))
        self.w_rec = torch.nn.Parameter(torch.as_tensor(w_rec, dtype=torch.float32))
        gates = self.w_rec.shape[1] // units
        self.anatomy = SimpleNamespace(  # its positions need not be on sites
            populations={"hidden": places[0]},
            wiring={"w_rec": parse_wiring(f"({gates} hidden) hidden")},
            positions=lambda name: places,
            members=members,
        )

    def weights(self):
        return {"w_rec": self.w_rec}

    def forward(self, inputs, lengths):
        return self.activity(inputs, lengths)[0]

    def activity(self, inputs, lengths):
        number, rule = inputs[..., :1], inputs[..., 1:]
        hidden = number * torch.einsum("tir,mur->mtiu", rule, self.tuning)
        sign = torch.ones(len(hidden), 1, 1)
        sign[1:] = -1
        answer = sign * number[..., 0]
        return torch.stack([-answer, answer], dim=-1), hidden + 0 * self.w_rec.sum()


def quadrants(n=10):
    """Sites of an n x n grid, and the quadrant, 0 to 3, in which each of them lies."""
    places = grid(n, n).numpy()
    half = places > 0.5
    return places, 2 * half[:, 0] + half[:, 1]


def tuned_net(modules, positions, members=1, seed=0):
    """Network in which module k stands out in task k, -1 is silent; members differ in gain."""
    rng = np.random.default_rng(seed)
    tuning = 0.1 + 0.02 * rng.random((len(modules), len(TASKS)))
    tuning[np.arange(len(modules)), modules] = 1
    tuning[modules < 0] = 0
    return Net(np.stack([tuning * (m + 1) for m in range(members)]), positions)


def brain_dataset(shape=(8, 8), members=1, seed=0, weight=None):
    """Complete analysis result of planted networks on a grid, its border inactive."""
    from brainrnn.analysis import AnalysisSpec, analyse

    places = grid(*shape).numpy()
    border = (np.abs(places - places.mean(0)) > 0.38).any(1)
    side = places > places.mean(0)
    modules = np.where(border, -1, 2 * side[:, 0] + side[:, 1])
    net = tuned_net(modules, places, members, seed)
    if weight is not None:
        net.w_rec = torch.nn.Parameter(torch.as_tensor(weight, dtype=torch.float32))
    spec = AnalysisSpec(trials=32, accuracy_trials=32, k=4, permutations=200)
    return analyse(net, Suite(), spec, seed=seed)


def as_variance(values):
    """(member, unit, task) array as a labelled one, with the neurons that are active in it."""
    values = np.asarray(values, dtype=float)
    variance = xr.DataArray(values, dims=("member", "unit", "task"))
    return variance, active_units(variance, 0.01)
