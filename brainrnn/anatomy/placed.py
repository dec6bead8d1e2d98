"""What cost, swaps, graphs and pictures need of a network: places, wiring and weights."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from brainrnn.anatomy.populations import Anatomy
from brainrnn.errors import InputError, unknown


class Placed(ABC):
    """A network whose neurons have places, whoever wrote it.

    Attributes
    ----------
    anatomy : Anatomy
        The populations, the wiring, and who sits where.
    """

    anatomy: Anatomy

    @abstractmethod
    def weights(self) -> dict[str, Tensor]:
        """Every wired parameter by name, (member, out, in) or, of a bias, (member, out).

        Axes are in the order of the wiring; entries are those that training changes.
        """

    def weight(self, parameter: str) -> Tensor:
        """One of the :meth:`weights`.

        Raises
        ------
        InputError
            If no wired parameter has that name.
        """
        weights = self.weights()
        if parameter not in weights:
            raise InputError(unknown("wired parameter", parameter, weights))
        return weights[parameter]

    @property
    def members(self) -> int:
        """Number of networks that live side by side."""
        return self.anatomy.members


def per_member(value: float | tuple[float, ...], net: Placed, what: str) -> Tensor:
    """One value per member of a network, (member,).

    Raises
    ------
    InputError
        If there is neither one value nor one for each member.
    """
    anchor = next(iter(net.weights().values()))
    values = torch.as_tensor(value, dtype=anchor.dtype, device=anchor.device).reshape(-1)
    if len(values) not in (1, net.members):
        raise InputError(
            f"{what} has {len(values)} values for {net.members} members: give one, or one for each"
        )
    return values.expand(net.members)
