"""What every kind of network's configuration has: members side by side, and what it is for."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal, TypeVar

import torch
from pydantic import Field, model_validator

from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.placed import per_member
from brainrnn.config import PerMember, Seed, Settings
from brainrnn.memory import require_memory
from brainrnn.streams import Stream, generator
from brainrnn.task import Task

S = TypeVar("S", bound=Settings)


class LinesSpec(Settings):
    """What networks with layers on lines have in common."""

    centred: bool = Field(
        True,
        description="whether neuron j of n sits at (j + 1/2)/n, as in the published notebooks, or "
        "at j/n, as in the paper; of layers on lines",
    )


class MembersSpec(Settings):
    """Networks that train side by side, of a kind that a class below this one says."""

    tasks: ClassVar[str]  # what tasks such a network is for, as in "these tasks unfold in time"

    members: int = Field(1, ge=1, le=10_000, description="networks trained side by side")
    starts: tuple[Seed, ...] | None = Field(
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
    def _one_start_each(self) -> MembersSpec:
        for name in ("starts", "perturbation"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.members:
                raise ValueError(f"{name} must have one number for each of members")
        return self

    @classmethod
    @abstractmethod
    def fits(cls, task: Task) -> bool:
        """Whether such a network is one for these tasks."""

    @abstractmethod
    def weights(self, task: Task) -> int:
        """Number of weights and biases of one network, which is known before any is drawn."""

    def require_memory(self, task: Task) -> None:
        """See that the network can be trained here.

        Raises
        ------
        InputError
            If it would not fit into memory.
        """
        # Weights, gradient, Adam's two moments and prices; in double precision the lengths, the
        # distances and what they are computed from.
        each = 5 * getattr(torch, self.precision).itemsize + 4 * 8
        entries = self.members * self.weights(task)
        what = (
            f"a network of {entries:,} weights"
            if self.members == 1
            else (f"{self.members:,} networks of {self.weights(task):,} weights")
        )
        require_memory(entries * each, f"to train {what}", "use fewer neurons or members")

    @abstractmethod
    def build(self, task: Task, *, seed: int) -> PlacedNetwork:
        """Build the untrained network for tasks that it fits.

        Raises
        ------
        InputError
            If sizes or settings do not fit together.
        """

    def part(self, model: type[S]) -> S:
        """The fields of one of the models that this section is made of."""
        return model(**{name: getattr(self, name) for name in model.model_fields})

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
            rng = generator(seed, Stream.PERTURBATION)
            for value in net.parameters():
                draw = torch.from_numpy(rng.standard_normal(value.shape[1:])).to(value)
                value.add_(noise.view(-1, *[1] * (value.ndim - 1)) * draw)
