"""Networks of tokens whose structure and answers are known because they were written by hand."""

from __future__ import annotations

import numpy as np
import torch

import brainrnn as br
from tasks.groups import groups


def trees(embedding: np.ndarray, modules: list[list[int]]) -> br.MLP:
    """One network whose embedding is given, (neuron, token), and whose modules are trees.

    Each module has one neuron in each hidden layer, which reads all neurons of the module, in both
    folds. Neurons that no module names have no connections.
    """
    n, tokens = embedding.shape
    hidden = len(modules) + 1  # one neuron more than is used
    net = br.MLP.on_lines(
        tokens, tokens, br.MLPSpec(hidden=(hidden, hidden), embedding=n), tokens=True
    ).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.embedding[0] = torch.from_numpy(embedding.T.copy())
        for h, neurons in enumerate(modules):
            for fold in range(2):
                net.fc0.weight[0, h, [fold * n + i for i in neurons]] = 1
            net.fc1.weight[0, h, h] = 1
            net.fc2.weight[0, :, h] = 1
    return net


def voters(p: int, votes: tuple[float, ...]) -> tuple[br.MLP, object]:
    """A network that adds modulo p exactly, by one module per vote, and its task.

    Every module holds the number itself in one neuron, sums the two numbers, and gives its votes to
    the answer. A silenced module sees 0 + 0 and votes for 0.
    """
    task = groups(["addition"], size=p, seed=0)
    steps = np.arange(-1, 2 * p)  # relu(s - k) for each of them
    hidden = (len(votes), len(votes) * len(steps))
    spec = br.MLPSpec(hidden=hidden, embedding=len(votes) + 1, activation="relu")
    net = br.MLP.on_lines(p, p, spec, tokens=True).double()
    bump = np.zeros((p, len(steps)))
    for total in range(2 * p - 1):
        bump[total % p, total : total + 3] += [1, -2, 1]
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        for m, vote in enumerate(votes):
            mine = slice(m * len(steps), (m + 1) * len(steps))
            net.embedding[0, :, m] = torch.arange(p)
            net.fc0.weight[0, m, [m, len(votes) + 1 + m]] = 1
            net.fc1.weight[0, mine, m] = 1
            net.fc1.bias[0, mine] = -torch.from_numpy(steps).double()
            net.fc2.weight[0, :, mine] = vote * torch.from_numpy(bump)
    return net, task


def together(*nets: br.MLP) -> br.MLP:
    """Networks of the same shape as members of one."""
    joined = nets[0].select(*[0] * len(nets))
    with torch.no_grad():
        for name, value in joined.state_dict().items():
            value.copy_(torch.cat([net.state_dict()[name] for net in nets]))
    joined.anatomy.changed()
    return joined
