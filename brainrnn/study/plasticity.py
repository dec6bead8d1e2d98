"""Learning one new task with some of a network's weights free, until a criterion is reached."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int, Num
from torch import Tensor

from brainrnn.networks import RNN
from brainrnn.study.newcomer import OneTask
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

_ALONE = BIMT(strength=0.0, swap=SwapSpec(algorithm="none"))


def neuron_sets(
    module: Int[np.ndarray, " unit"], variance: Num[np.ndarray, " unit"], rng: np.random.Generator
) -> dict[str, Bool[np.ndarray, " unit"]]:
    """Neurons that are set free together.

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
    net: RNN, condition: str, task: OneTask, neurons: Bool[np.ndarray, " unit"] | None
) -> dict[str, Bool[Tensor, ...]] | None:
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


def count_entries(net: RNN, free: dict[str, Bool[Tensor, ...]] | None) -> int:
    """How many entries of a network's parameters may change."""
    parameters = dict(net.named_parameters())
    if free is None:
        return sum(value.numel() for value in parameters.values())
    return sum(int(mask.expand(parameters[name].shape).sum()) for name, mask in free.items())


def learn(
    net: RNN,
    task: OneTask,
    spec: TrainingSpec,
    *,
    free: dict[str, Bool[Tensor, ...]] | None,
    criterion: float,
    seed: int,
) -> dict[str, object]:
    """Train a network without a penalty and without swaps until it knows a task.

    Parameters
    ----------
    net : RNN
        Changed in place.
    task : OneTask
    spec : TrainingSpec
        Accuracy is measured where it says; learning is given up after its last step.
    free : dict, optional
        Entries that may change (:func:`free_entries`).
    criterion : float
        Share of the best possible accuracy at which the task is learned.
    seed : int
        Of the trials; they are the same for every network and condition of a seed.

    Returns
    -------
    dict
        ``ceiling``, accuracy before and after (``new_before``, ``new_after``), ``steps`` taken, and
        whether the criterion was ``reached``.
    """
    trainer = Trainer(net, task, _ALONE, spec, seed=seed, free=free)
    ceiling = float(task.ceiling()[0])
    before = score = float(trainer.evaluate()[1])
    if score < criterion * ceiling:
        for record in trainer.records():
            for row in record.metrics:
                score = row["accuracy"]
            if record.metrics and score >= criterion * ceiling:
                break
    return {
        "ceiling": ceiling,
        "new_before": before,
        "new_after": score,
        "steps": trainer.step,
        "reached": score >= criterion * ceiling,
    }
