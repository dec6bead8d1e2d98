"""What every kind of network's configuration has: members side by side, and how one is built."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from brainrnn.anatomy import PlacedNetwork, per_member
from brainrnn.config import PerMember, Settings
from brainrnn.errors import InputError
from brainrnn.task import Suite, Task

_ASKED = {  # what tasks each kind of network is for
    "rnn": "unfold in time",
    "transformer": "are sequences of vectors",
    "mlp": "are vectors or tokens",
}
KINDS = "rnn: recurrent; mlp: multilayer perceptron; transformer: attention over a sequence"


class MembersSpec(Settings):
    """Networks that train side by side."""

    members: int = Field(1, ge=1, description="networks trained side by side")
    starts: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        None,
        description="a number for each member: equal ones start from the same weights; unset: each "
        "from its own",
    )
    perturbation: PerMember = Field(
        0.0,
        description="sd of noise added to all initial parameters, the same draw for all members; a "
        "list gives one per member",
    )
    precision: Literal["float32", "float64"] = Field("float32", description="of the arithmetic")

    @model_validator(mode="after")
    def _one_start_each(self) -> Self:
        for name in ("starts", "perturbation"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.members:
                raise ValueError(f"{name} must have one number for each of members")
        return self

    def side_by_side(self, seed: int) -> dict[str, Any]:
        """The arguments that every network takes of this section."""
        return {
            "members": self.members,
            "seed": seed,
            "starts": self.starts,
            "dtype": getattr(torch, self.precision),
        }

    @torch.no_grad()
    def perturb(self, net: PlacedNetwork, seed: int) -> None:
        """Add noise to all parameters: the same draw for all members, each times its own sd."""
        noise = per_member(self.perturbation, net, "network.perturbation")
        if bool(noise.any()):
            rng = np.random.default_rng([seed, 3])
            for value in net.parameters():
                draw = torch.from_numpy(rng.standard_normal(value.shape[1:])).to(value)
                value.add_(noise.view(-1, *[1] * (value.ndim - 1)) * draw)


def require_kind(kind: str, task: Task) -> None:
    """See that a kind of network is one for these tasks.

    Raises
    ------
    InputError
        If not, with the kind that is.
    """
    if isinstance(task, Suite):
        fitting = "rnn"
    elif not getattr(task, "tokens", False) and getattr(task, "positions", None):
        fitting = "transformer"
    else:
        fitting = "mlp"
    if kind != fitting:
        raise InputError(
            f"network.kind is {kind!r}, but these tasks {_ASKED[fitting]}: use {fitting!r}"
        )
