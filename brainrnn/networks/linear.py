"""Linear maps of many networks side by side, as every feed-forward network has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """y = W x + b with weight (member, out, in) and bias (member, out)."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
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

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (member, row, in) to (member, row, out)."""
        return torch.baddbmm(self.bias[:, None], rows, self.weight.mT)


def member_streams(
    members: int, seed: int, starts: Sequence[int] | None
) -> list[np.random.Generator]:
    """A random stream for each member m, from (seed, starts[m]), or (seed, m) without starts."""
    return [
        np.random.default_rng((seed, s)) for s in (range(members) if starts is None else starts)
    ]
