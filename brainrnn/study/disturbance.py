"""Accuracy under disturbance: noise on inputs, units and weights, and the loss of neurons.

What is random is drawn anew for each draw, and is the same at every level but for its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Bool, Float
from torch import Tensor

from brainrnn.analysis import AnalysisSpec, active_units, record, task_variance
from brainrnn.networks import RNN
from brainrnn.streams import Stream, generator
from brainrnn.study.damage import lesioned_scores, part_of, relevant_neurons, task_scores
from brainrnn.task import Suite, Trials
from brainrnn.wiring_cost.strength import present


def disturbed(
    net: RNN,
    suite: Suite,
    levels: Mapping[str, Sequence[float]],
    *,
    draws: int,
    trials: int,
    spec: AnalysisSpec,
    seed: int,
) -> pd.DataFrame:
    """All disturbances of one network; the same trials and noise for all networks of a seed.

    Parameters
    ----------
    net : RNN
        Of one member.
    suite : Suite
    levels : dict
        Of ``inputs``, ``units``, ``weights`` and ``loss``.
    draws : int
        Draws of noise, or of lost neurons, for each level.
    trials : int
        Of every task.
    spec : AnalysisSpec
        What counts as an active neuron.
    seed : int

    Returns
    -------
    DataFrame
        A row for each ``damage``, ``level`` and ``draw``, with ``accuracy`` and that of each task;
        the first, of damage ``none``, is of the undamaged network.
    """
    rng = generator(seed, Stream.DISTURBANCE)
    batch = suite.held_out(trials, rng).to(net.w_rec.device)
    active = active_neurons(net, suite, spec, rng)
    lean = part_of(net, relevant_neurons(net))
    # Each has a stream of its own, so that settings of one do not change another's draws.
    inputs, units, weights = rng.integers(2**63, size=3).tolist()
    scores = {
        "none": task_scores(lean, suite, batch)[None],
        "inputs": noisy_inputs(lean, suite, batch, levels["inputs"], draws, inputs),
        "units": noisy_units(net, suite, batch, levels["units"], draws, units, active),
        "weights": noisy_weights(lean, suite, batch, levels["weights"], draws, weights),
        "loss": lost_neurons(net, suite, batch, levels["loss"], draws, rng, active),
    }
    levels = {"none": (0.0,), **levels}
    columns = [f"accuracy_{task}" for task in suite.names]
    parts = [_tidy(name, levels[name], some, columns) for name, some in scores.items()]
    return pd.concat(parts, ignore_index=True)


def _tidy(
    damage: str,
    levels: Sequence[float],
    scores: Float[np.ndarray, "level draw task"],
    columns: list[str],
) -> pd.DataFrame:
    """A row for each level and draw."""
    level, draw = np.indices(scores.shape[:2]).reshape(2, -1)
    flat = scores.reshape(len(level), -1)
    about = {"damage": damage, "level": np.array(levels)[level], "draw": draw}
    return pd.DataFrame(
        about | {"accuracy": flat.mean(1)} | dict(zip(columns, flat.T, strict=True))
    )


@torch.no_grad()
def noisy_inputs(
    net: RNN, suite: Suite, batch: Trials, sds: Sequence[float], draws: int, seed: int
) -> Float[np.ndarray, "level draw task"]:
    """Scores with Gaussian noise on every input at every step of a trial."""
    lengths = batch.lengths.to(batch.inputs.device)
    generator = torch.Generator().manual_seed(seed)
    steps = torch.arange(len(batch.inputs), device=batch.inputs.device)
    under_way = (steps[:, None] < lengths)[..., None]
    scores = np.empty((len(sds), draws, len(suite.names)))
    for draw in range(draws):  # members share their inputs, so that each draw is a run
        noise = torch.randn(batch.inputs.shape, generator=generator).to(batch.inputs) * under_way
        for i, sd in enumerate(sds):
            noisy = replace(batch, inputs=batch.inputs + sd * noise)
            scores[i, draw] = task_scores(net, suite, noisy)[0]
    return scores


@torch.no_grad()
def noisy_units(
    net: RNN,
    suite: Suite,
    batch: Trials,
    sigmas: Sequence[float],
    draws: int,
    seed: int,
    active: Bool[np.ndarray, " unit"],
) -> Float[np.ndarray, "level draw task"]:
    """Scores with private noise in every unit, in units of the rms state."""
    states = net.activity(batch.inputs, batch.lengths)[1][0]
    # Padding after a trial's end is 0, and is not counted.
    total = states[..., torch.from_numpy(active).to(states.device)].double().square().sum()
    rms = float((total / (batch.lengths.sum() * active.sum())).sqrt())
    noisy, scores = net.select(0), np.empty((len(sigmas), draws, len(suite.names)))
    for i, sigma in enumerate(sigmas):
        noisy.spec = net.spec.model_copy(update={"noise": sigma * rms})
        source = torch.Generator(net.w_rec.device).manual_seed(seed)
        for draw in range(draws):  # members share their noise, so that each draw is a run
            scores[i, draw] = task_scores(noisy, suite, batch, generator=source)[0]
    return scores


@torch.no_grad()
def noisy_weights(
    net: RNN, suite: Suite, batch: Trials, sds: Sequence[float], draws: int, seed: int
) -> Float[np.ndarray, "level draw task"]:
    """Scores with noise on every present weight, in units of their rms."""
    generator = torch.Generator().manual_seed(seed)
    copies = net.select(*[0] * draws)
    noise: dict[str, Tensor] = {}
    for name in ("w_in", "w_rec", "w_out"):
        weight = net.get_parameter(name)
        there = present(weight)
        rms = weight[there].square().mean().sqrt() if bool(there.any()) else weight.new_zeros(())
        draw = torch.randn((draws, *weight.shape[1:]), generator=generator).to(weight)
        noise[name] = draw * there * rms
    scores = []
    for sd in sds:
        for name, size in noise.items():
            copies.get_parameter(name).copy_(net.get_parameter(name) + sd * size)
        scores.append(task_scores(copies, suite, batch))
    return np.stack(scores)


def lost_neurons(
    net: RNN,
    suite: Suite,
    batch: Trials,
    fractions: Sequence[float],
    draws: int,
    rng: np.random.Generator,
    active: Bool[np.ndarray, " unit"],
) -> Float[np.ndarray, "level draw task"]:
    """Scores without a random fraction of the active neurons."""
    some = np.flatnonzero(active)
    rank = rng.random((draws, len(some))).argsort(axis=1).argsort(axis=1)
    count = np.round(np.array(fractions) * len(some))
    gone = np.zeros((len(fractions), draws, len(active)), bool)
    gone[..., some] = rank < count[:, None, None]
    scores = lesioned_scores(net, suite, batch, gone.reshape(-1, len(active)))
    return scores.reshape(len(fractions), draws, -1)


def active_neurons(
    net: RNN, suite: Suite, spec: AnalysisSpec, rng: np.random.Generator
) -> Bool[np.ndarray, " unit"]:
    """Which neurons take part in anything, as in the analysis of the map."""
    variance = [
        task_variance(record(net, suite, task, trials=spec.trials, rng=rng)) for task in suite.names
    ]
    return active_units(xr.concat(variance, "task"), spec.active_threshold).values[0]
