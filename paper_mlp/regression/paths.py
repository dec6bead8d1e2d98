"""Paths through a transformer unrolled over the tokens of a sequence, from inputs to the answer."""

from __future__ import annotations

import torch
from torch import Tensor

from brainrnn.analysis.graph.live import live_connections
from brainrnn.analysis.graph.stages import stages
from brainrnn.networks import Transformer
from paper_mlp.regression.sequences import need_sequences
from tasks.fixed import FixedTask


@torch.no_grad()
def unrolled_paths(
    net: Transformer, task: FixedTask, *, threshold: float = 0.05
) -> dict[str, Tensor]:
    """Neurons on a path of live connections from an input to an answer, token by token.

    As :func:`brainrnn.analysis.active_neurons`, but every token has neurons of its own: paths
    start at inputs that are not 0 in all test sequences, end at the outputs that the test asks for,
    and go from one token to a later one only through keys and values.

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
    chain = stages(net)
    live = live_connections(net, threshold=threshold)
    device = net.get_parameter("embed.weight").device
    given = (task.test.inputs != 0).any(0).to(device)
    reached = [given.expand(net.members, -1, -1)]
    for stage in chain[1:]:
        arrived = _through(live, stage.parameter, reached[-1])
        reached.append(arrived if stage.carried is None else arrived | reached[stage.carried])
    leads = [torch.zeros_like(state) for state in reached]
    leads[-1] |= asked_outputs(task).to(device)
    for index in reversed(range(1, len(chain))):
        stage = chain[index]
        leads[index - 1] |= _through(live, stage.parameter, leads[index], backwards=True)
        if stage.carried is not None:
            leads[stage.carried] |= leads[index]
    return {s.name: to & fro for s, to, fro in zip(chain, reached, leads, strict=True)}


def attends(parameter: str) -> bool:
    """Whether a parameter makes queries, keys and values, so that tokens meet."""
    return parameter.startswith("qkv")


def asked_outputs(task: FixedTask) -> Tensor:
    """Which outputs the test asks for, (position, output) bool."""
    weights = task.test.weights
    return (
        torch.ones(task.test.targets.shape[1:], dtype=torch.bool)
        if weights is None
        else weights > 0
    )


def _through(
    live: dict[str, Tensor], parameter: str | None, state: Tensor, *, backwards: bool = False
) -> Tensor:
    """Where live connections lead from neurons (member, position, neuron), or come from."""
    assert parameter is not None
    joins, on = live[parameter].double(), state.double()
    if not attends(parameter):
        return on @ (joins if backwards else joins.mT) > 0
    query, key, value = joins.chunk(3, dim=1)
    shared = key + value  # of all tokens so far
    if backwards:
        return on @ query + on.flip(1).cumsum(1).flip(1) @ shared > 0
    return on @ query.mT + on.cumsum(1) @ shared.mT > 0
