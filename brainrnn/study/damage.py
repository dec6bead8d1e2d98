"""Damage: copies of one network side by side, each without other neurons, on the same trials."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from brainrnn.analysis.graph.ablation import silence
from brainrnn.networks import RNN
from brainrnn.networks.recurrence import awake_units
from brainrnn.task import Suite, Trials

_STATES = 2**22  # numbers that the states of copies computed together may take


@torch.no_grad()
def relevant_neurons(net: RNN) -> Int[np.ndarray, " kept"]:
    """Neurons without which a network of one member computes exactly the same, left out.

    Those are the ones that nothing reads, and relu units that nothing drives. Both stay so however
    many others are silenced.

    Returns
    -------
    (k,) int
        Indices of the others, rising; one at least.
    """
    sent = net.w_rec[0].unflatten(0, (-1, net.n_hidden)).abs().amax(0).fill_diagonal_(0)
    keep = (sent.amax(0) > 0) | (net.w_out[0].abs().amax(0) > 0)
    if net.spec.cell == "leaky" and net.spec.activation == "relu":
        awake = awake_units(net.w_in, net.w_rec, net.b_rec)
        if awake is not None:
            keep &= torch.zeros_like(keep).index_fill_(0, awake[0], True)
    return np.flatnonzero(keep.cpu().numpy()) if bool(keep.any()) else np.zeros(1, int)


@torch.no_grad()
def part_of(net: RNN, neurons: Int[np.ndarray, " kept"]) -> RNN:
    """The network of some of a one-member network's neurons, with the weights among them.

    Parameters
    ----------
    net : RNN
    neurons : (k,) int
    """
    weights = net.get_parameter("w_rec")
    index = torch.from_numpy(neurons).to(weights.device)
    gates = weights.shape[1] // net.n_hidden
    rows = torch.cat([index + gate * net.n_hidden for gate in range(gates)])
    part = RNN(
        net.w_in.shape[2],
        net.w_out.shape[1],
        net.anatomy.positions("hidden")[0, index],
        dt=net.dt,
        spec=net.spec,
        dtype=weights.dtype,
    ).to(weights.device)
    values = {
        "w_in": net.w_in[:, rows],
        "w_rec": net.w_rec[:, rows][:, :, index],
        "b_rec": net.b_rec[:, rows],
        "w_out": net.w_out[:, :, index],
        "b_out": net.b_out,
    }
    for name, value in values.items():
        part.get_parameter(name).copy_(value)
    return part


@torch.no_grad()
def task_scores(
    net: RNN, suite: Suite, batch: Trials, *, generator: torch.Generator | None = None
) -> Float[np.ndarray, "member task"]:
    """Fraction of trials answered correctly.

    Parameters
    ----------
    net : RNN
    suite : Suite
    batch : Trials
        As ``suite.held_out`` has them: as many of each task, task after task.
    generator : torch.Generator, optional
        Source of private noise.
    """
    scores = suite.score(net(batch.inputs, batch.lengths, generator=generator), batch)
    return scores.double().unflatten(1, (len(suite.names), -1)).mean(2).cpu().numpy()


def lesioned_scores(
    net: RNN, suite: Suite, batch: Trials, neurons: Bool[np.ndarray, "lesion unit"]
) -> Float[np.ndarray, "lesion task"]:
    """Fraction of trials answered correctly without some neurons.

    Parameters
    ----------
    net : RNN
        Of one member.
    suite : Suite
    batch : Trials
        As ``suite.held_out`` has them; the same for every lesion.
    neurons : (lesion, unit) bool
    """
    kept = relevant_neurons(net)
    lean, batch = part_of(net, kept), batch.to(net.get_parameter("w_rec").device)
    return np.concatenate(
        [
            task_scores(silence(lean, "hidden", some), suite, batch)
            for some in _chunks(neurons[:, kept], copies_at_once(lean, batch))
        ]
    )


def copies_at_once(net: RNN, batch: Trials) -> int:
    """How many copies of a network can be computed together in bounded memory."""
    return max(1, _STATES // (int(batch.lengths.sum()) * net.n_hidden))


def _chunks(rows: np.ndarray, n: int) -> Iterator[np.ndarray]:
    return (rows[start : start + n] for start in range(0, len(rows), n))


def damage(
    scores: Float[np.ndarray, "*lesion task"],
    intact: Float[np.ndarray, " task"],
    silent: Float[np.ndarray, " task"],
    least: float,
) -> Float[np.ndarray, "*lesion task"]:
    """How much of what a network can lose in each task it has lost, 0 to 1.

    0 is unharmed, 1 is no better than without any neuron. Tasks differ in what an answer without
    a neuron is worth: never to answer is right in half the matching trials and in no others. A
    network that answers wrongly instead has no more to lose.

    Parameters
    ----------
    scores : (..., task)
        With damage.
    intact, silent : (task,)
        Without any, and without any neuron.
    least : float
        Tasks in which the two differ by less have nothing to lose: NaN.

    Examples
    --------
    >>> damage(np.array([[0.9, 0.6]]), np.array([0.9, 0.9]), np.array([0.1, 0.3]), 0.1).round(2)
    array([[0. , 0.5]])
    """
    stake = intact - silent
    return ((intact - scores) / np.where(stake >= least, stake, np.nan)).clip(0, 1)
