"""How much each token attends to the earlier ones: how x_1 and y_1 get to the last token."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from brainrnn.analysis.graph.live import check_member
from brainrnn.networks import Transformer
from paper_mlp.regression.names import token_names
from tasks.fixed import FixedTask


@torch.no_grad()
def attention_weights(net: Transformer, inputs: Tensor) -> dict[int, Tensor]:
    r"""Attention of every layer, from its parameters.

    .. math:: a = \mathrm{softmax}(q k^T / \sqrt{n}), \quad q = Q s + b_q, \; k = K s + b_k

    over the tokens up to one's own, with the stream s before the layer and n neurons in a head.

    Parameters
    ----------
    net : Transformer
    inputs : (example, position, input)

    Returns
    -------
    dict of int to (member, example, head, position, position)
        By layer, from 1. ``[..., to, from]`` is how much of the value of token ``from`` reaches
        token ``to``: 0 for later ones, and 1 in sum.
    """
    states, heads = net.layers(inputs), net.spec.heads
    weights = {}
    for layer in range(1, net.spec.layers + 1):
        stream = states[f"stream{2 * layer - 2}"]
        weight = net.get_parameter(f"qkv{layer}.weight")
        bias = net.get_parameter(f"qkv{layer}.bias")[:, None, None]
        query, key, _ = (torch.einsum("moi,mepi->mepo", weight, stream) + bias).chunk(3, dim=3)
        query, key = (part.unflatten(3, (heads, -1)) for part in (query, key))
        scores = torch.einsum("methn,mefhn->mehtf", query, key) / math.sqrt(query.shape[4])
        later = torch.ones(scores.shape[3:], dtype=torch.bool, device=scores.device).triu(1)
        weights[layer] = scores.masked_fill(later, -math.inf).softmax(-1)
    return weights


def attention_table(net: Transformer, task: FixedTask, member: int = 0) -> pd.DataFrame:
    """How much one network's tokens attend to each other, in the test sequences.

    Parameters
    ----------
    net : Transformer
    task : FixedTask
    member : int

    Returns
    -------
    DataFrame
        A row for every ``layer`` and ``head``, numbered from 1, heads by their place on the line,
        and for every two tokens (:func:`paper_mlp.regression.names.token_names`) of which ``to``
        attends to ``from``. ``weight`` is the mean over sequences, ``sd`` the standard deviation:
        where it is 0, attention does not depend on the sequence.

    Raises
    ------
    InputError
        If there is no such network, or the task is not in-context regression.
    """
    check_member(net, member)
    one, names = net.select(member), token_names(task)
    rows = []
    for layer, weights in attention_weights(one, task.test.inputs).items():
        size = one.spec.width // one.spec.heads
        occupant = np.argsort(one.anatomy.places(f"heads{layer}")[0, ::size].cpu().numpy())
        values = weights[0].double().cpu().numpy()
        mean, sd = values.mean(0)[occupant], values.std(0)[occupant]
        rows += [
            (
                layer,
                head + 1,
                names[source],
                names[to],
                mean[head, to, source],
                sd[head, to, source],
            )
            for head, to, source in product(range(len(mean)), *2 * [range(len(names))])
            if source <= to
        ]
    return pd.DataFrame(rows, columns=["layer", "head", "from", "to", "weight", "sd"])
