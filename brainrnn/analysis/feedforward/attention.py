"""How much each token of a sequence attends to the earlier ones."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.networks import Transformer


@torch.no_grad()
def attention_weights(
    net: Transformer, inputs: Float[Tensor, "example position input"]
) -> dict[int, Float[Tensor, "member example head position position"]]:
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

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.Transformer(2, 2, br.TransformerSpec(width=4, layers=1))
    >>> weights = attention_weights(net, torch.ones(5, 3, 2))
    >>> weights[1].shape
    torch.Size([1, 5, 1, 3, 3])
    >>> bool(torch.allclose(weights[1].sum(-1), torch.ones(3)))
    True
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
