"""Paths through a transformer unrolled over the tokens of a sequence, from inputs to the answer."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

from brainrnn.analysis.feedforward.paths import sequence_paths
from brainrnn.networks import Transformer
from paper_mlp.regression.sequences import need_sequences
from tasks.fixed import FixedTask


def unrolled_paths(
    net: Transformer, task: FixedTask, *, threshold: float = 0.05
) -> dict[str, Bool[Tensor, "member position _"]]:
    """Neurons on a path of live connections from an input to an answer, token by token.

    See :func:`brainrnn.analysis.feedforward.sequence_paths`: paths start at inputs that are not 0
    in all test sequences, and end at the outputs that the test asks for.

    Parameters
    ----------
    net : Transformer
    task : FixedTask
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    dict of str to (member, position, neuron) bool
        For every stage (:func:`brainrnn.analysis.stages`).

    Raises
    ------
    InputError
        If the task is not in-context regression, or the threshold is out of range.
    """
    need_sequences(task)
    given = (task.test.inputs != 0).any(0)
    return sequence_paths(net, given, asked_outputs(task), threshold=threshold)


def asked_outputs(task: FixedTask) -> Bool[Tensor, "position output"]:
    """Which outputs the test asks for, (position, output) bool."""
    weights = task.test.weights
    return (
        torch.ones(task.test.targets.shape[1:], dtype=torch.bool)
        if weights is None
        else weights > 0
    )
