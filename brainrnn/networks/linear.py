"""Linear maps of many networks side by side, as every feed-forward network has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn


class Linear(nn.Module):
    """y = W x + b of every member.

    Parameters
    ----------
    weight : (member, out, source)
    bias : (member, out)

    Examples
    --------
    >>> layer = Linear(torch.ones(2, 1, 3), torch.zeros(2, 1))
    >>> layer(torch.ones(2, 5, 3)).shape
    torch.Size([2, 5, 1])
    """

    def __init__(
        self, weight: Float[Tensor, "member out source"], bias: Float[Tensor, "member out"]
    ) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    @classmethod
    def drawn(
        cls, fan_in: int, n: int, streams: Sequence[np.random.Generator], dtype: torch.dtype
    ) -> Linear:
        """Uniform within 1/sqrt(fan_in), as in ``torch.nn.Linear``; each member from its stream."""
        bound = 1 / math.sqrt(fan_in)
        start = np.stack([rng.uniform(-bound, bound, (n, fan_in + 1)) for rng in streams])
        value = torch.from_numpy(start).to(dtype)
        return cls(value[..., :-1].clone(), value[..., -1].clone())

    def forward(self, rows: Float[Tensor, "member row source"]) -> Float[Tensor, "member row out"]:
        """Map every row."""
        return torch.baddbmm(self.bias[:, None], rows, self.weight.mT)


def member_streams(
    members: int, seed: int, starts: Sequence[int] | None
) -> list[np.random.Generator]:
    """The random stream of each member's initial weights.

    Parameters
    ----------
    members : int
        Number of networks side by side.
    seed : int
        Shared by all members.
    starts : sequence of int, optional
        Member m draws from (seed, starts[m]), so that equal numbers start alike; by default from
        (seed, m), each from its own weights.

    Examples
    --------
    >>> one, two = member_streams(2, seed=0, starts=[7, 7])
    >>> one.random() == two.random()
    True
    """
    return [
        np.random.default_rng((seed, s)) for s in (range(members) if starts is None else starts)
    ]
