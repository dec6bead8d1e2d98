"""What cost, swaps, graphs and pictures need of a network: places, wiring and weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from brainrnn.anatomy.populations import Anatomy
from brainrnn.errors import InputError, unknown

T = TypeVar("T")


class Placed(ABC):
    """A network whose neurons have places, whoever wrote it.

    Attributes
    ----------
    anatomy : Anatomy
        The populations, the wiring, and who sits where.

    Examples
    --------
    >>> import brainrnn as br
    >>> isinstance(br.MLP([br.line(2), br.line(3)]), br.Placed)
    True
    >>> isinstance(br.place(torch.nn.RNN(2, 9), br.grid(3, 3)), br.Placed)
    True
    """

    anatomy: Anatomy

    @abstractmethod
    def weights(self) -> dict[str, Float[Tensor, "member out *source"]]:
        """Every wired parameter by name, (member, out, in) or, of a bias, (member, out)."""

    def wired(self, name: str) -> Float[Tensor, "member out *source"]:
        """One of the :meth:`weights`.

        Raises
        ------
        InputError
            If no wired parameter has that name.
        """
        weights = self.weights()
        if name not in weights:
            raise InputError(unknown("wired parameter", name, weights))
        return weights[name]

    def entries(self, name: str) -> int:
        """Number of entries of one member's parameter."""
        return self.wired(name)[0].numel()

    def anchor(self) -> Float[Tensor, "*shape"]:
        """Any tensor that has the weights' dtype and lies on the network's device."""
        return next(iter(self.weights().values()))

    def kept(self, key: object, compute: Callable[[], T]) -> T:
        """What ``compute`` returns, which depends on the key, the places and the wiring alone.

        A network may keep it for the next step.
        """
        return compute()

    @property
    def members(self) -> int:
        """Number of networks that live side by side."""
        return self.anatomy.members


class Trainable(Placed):
    """A placed network whose parameters a training method may change.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP([br.line(2), br.line(3)])
    >>> isinstance(net, Trainable), net.parameter("fc0.weight") is net.fc0.weight
    (True, True)
    """

    @abstractmethod
    def parameters(self) -> Iterator[nn.Parameter]:
        """Everything that training may change."""

    @abstractmethod
    def parameter(self, name: str) -> Float[Tensor, "*shape"]:
        """A wired parameter as the network has it, in a layout of its own.

        Raises
        ------
        InputError
            If its entries cannot be changed one by one.
        """

    @abstractmethod
    def spread(self, name: str, values: Float[Tensor, "*weight"]) -> Float[Tensor, "*parameter"]:
        """Values for a parameter's weights, (member, out, in), in the parameter's own layout."""


@runtime_checkable
class Method(Protocol):
    """How a network pays for its wiring: what is added to its loss, and what follows a step."""

    def penalty(self, net: Trainable, *, progress: float) -> Float[Tensor, ""]:
        """What to add to the loss; differentiable."""
        ...

    def after_step(
        self, net: Trainable, optimizer: torch.optim.Optimizer, *, step: int, progress: float
    ) -> int:
        """What to do after step number ``step`` (from 1) of an optimizer; neurons that moved."""
        ...


def per_member(
    value: float | tuple[float, ...], net: Placed, what: str
) -> Float[Tensor, " member"]:
    """One value per member of a network.

    Parameters
    ----------
    value : float or tuple of float
        One value for all, or one for each.
    net : Placed
    what : str
        What the values are, for the error.

    Returns
    -------
    (member,)

    Raises
    ------
    InputError
        If there is neither one value nor one for each member.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP([br.line(2), br.line(3)], members=2)
    >>> per_member(0.5, net, "strength").tolist()
    [0.5, 0.5]
    """
    anchor = net.anchor()
    values = torch.as_tensor(value, dtype=anchor.dtype, device=anchor.device).reshape(-1)
    if len(values) not in (1, net.members):
        raise InputError(
            f"{what} has {len(values)} values for {net.members} networks (members): give one "
            "value, or one for each network"
        )
    return values.expand(net.members)
