"""The connection cost: what a network pays for its wiring (Eqs. 2-4 of the BIMT paper).

A weight w between neurons a distance d apart costs |w| (A d + y*); a weight with fewer than two
placed axes, and a bias, costs |w| y*. The loss is

    loss = prediction + lambda (sum of all costs).

A = 0 is plain L1. "Seeing Is Believing", Entropy 2024, 26, 41, Section 2.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from brainrnn.anatomy.placed import Placed, per_member
from brainrnn.config import NonNegative, PerMember, Settings
from brainrnn.errors import InputError, unknown


class CostSpec(Settings):
    """How connections are paid for.

    Examples
    --------
    >>> CostSpec(schedule=((0.0, 0.1), (0.5, 1.0)), interpolation="linear").factor(0.25)
    0.55
    """

    strength: PerMember = Field(
        1e-4, description="lambda, strength of the connection cost; a list gives one per member"
    )
    locality: PerMember = Field(
        1.0, description="A, cost per unit of distance; 0 is plain L1; a list gives one per member"
    )
    offset: NonNegative = Field(
        1.0, description="y*, cost of a connection of length 0, and of what has no length"
    )
    biases_from: float = Field(
        0.0,
        ge=0,
        le=1,
        description="fraction of training from which on biases cost y* |b|; 1: never",
    )
    reduction: Literal["sum", "mean"] = Field(
        "sum", description="sum or mean over the entries of each parameter"
    )
    parameter_strength: dict[str, NonNegative] = Field(
        {}, description="factor on lambda by parameter name, 1 where not given"
    )
    parameter_locality: dict[str, NonNegative] = Field(
        {}, description="factor on A by parameter name, 1 where not given"
    )
    form: Literal["subgradient", "proximal"] = Field(
        "proximal",
        description="subgradient: the penalty's gradient is added (the paper); "
        "proximal: soft threshold after each step, which makes weights exactly zero",
    )
    schedule: tuple[tuple[Annotated[float, Field(ge=0, le=1)], NonNegative], ...] = Field(
        ((0.0, 1.0),),
        description="[fraction of training, factor on lambda] pairs",
    )
    interpolation: Literal["constant", "linear"] = Field(
        "constant", description="how lambda goes from one pair of the schedule to the next"
    )

    @model_validator(mode="after")
    def _ordered(self) -> CostSpec:
        times = [time for time, _ in self.schedule]
        if not times or times[0] != 0 or any(b <= a for a, b in pairwise(times)):
            raise ValueError("schedule must start at fraction 0 and rise")
        return self

    def factor(self, progress: float) -> float:
        """Factor on lambda at a fraction of training between 0 and 1."""
        before = [point for point in self.schedule if point[0] <= progress][-1]
        after = [point for point in self.schedule if point[0] > progress]
        if self.interpolation == "constant" or not after:
            return before[1]
        share = (progress - before[0]) / (after[0][0] - before[0])
        return before[1] + share * (after[0][1] - before[1])

    def pays_biases(self, progress: float) -> bool:
        """Whether biases cost anything at a fraction of training between 0 and 1."""
        return self.biases_from <= progress and self.biases_from < 1

    def strengths(self, net: Placed, progress: float = 1.0) -> Float[Tensor, " member"]:
        """Lambda of every member at a fraction of training, (member,)."""
        return per_member(self.strength, net, "strength") * self.factor(progress)

    def weight(self, parameter: str, net: Placed) -> float:
        """Factor of one parameter in the cost, from its own strength and the reduction."""
        factor = self.parameter_strength.get(parameter, 1.0)
        return factor / net.entries(parameter) if self.reduction == "mean" else factor


def cost_coefficients(
    net: Placed, spec: CostSpec, progress: float = 1.0
) -> dict[str, Float[Tensor, "*weight"]]:
    """Cost of a unit of |w| for every parameter that is paid for, each broadcastable to it.

    A d + y* where two axes are placed, y* elsewhere. Biases are paid for, or not, as at a fraction
    ``progress`` of training.

    Parameters
    ----------
    net : Placed
    spec : CostSpec
    progress : float

    Returns
    -------
    dict of str to (member, out, in) or scalar tensor

    Raises
    ------
    InputError
        If the settings name a parameter that is not there, or have too few values for the members.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(3,)))
    >>> cost = cost_coefficients(net, CostSpec(locality=2.0, offset=0.5))
    >>> {name: tuple(value.shape) for name, value in cost.items()}["fc0.weight"]
    (1, 3, 2)
    """
    now = (spec, spec.pays_biases(progress))
    return dict(net.kept(now, lambda: _coefficients(net, spec, progress)))


def _coefficients(net: Placed, spec: CostSpec, progress: float) -> dict[str, Tensor]:
    anatomy = net.anatomy
    parameters = net.weights()
    for key in ("parameter_strength", "parameter_locality"):
        for name in getattr(spec, key):
            if name not in parameters:
                raise InputError(unknown(f"parameter in {key}", name, parameters))
    for name in spec.parameter_locality:
        if anatomy.length(name) is None:
            raise InputError(
                f"parameter_locality of {name!r} would change nothing: it does not join neurons "
                "that have places; leave it out"
            )
    locality = per_member(spec.locality, net, "locality")[:, None, None]
    coefficients: dict[str, Float[Tensor, "*weight"]] = {}
    for name, value in parameters.items():
        if value.ndim == 2 and not spec.pays_biases(progress):
            continue
        length = anatomy.length(name)
        cost = torch.full((), spec.offset, dtype=value.dtype, device=value.device)
        if length is not None:
            cost = locality * spec.parameter_locality.get(name, 1.0) * length.to(value.dtype) + cost
        coefficients[name] = spec.weight(name, net) * cost
    return coefficients


def connection_cost(net: Placed, spec: CostSpec, progress: float = 1.0) -> Float[Tensor, " member"]:
    """The connection cost of every member, without lambda, (member,); differentiable.

    Eq. 3: sum |w| (A d + y*) + y* sum |b|. Equals lambda's factor in Eq. 4 at a fraction
    ``progress`` of training, which may spare the biases; at the end if not given.

    Parameters
    ----------
    net : Placed
        A network of this package, or one that was placed by :func:`brainrnn.place`.
    spec : CostSpec
        A :class:`brainrnn.BIMT` is one.
    progress : float
        Fraction of training that is done.

    Returns
    -------
    (member,)

    Examples
    --------
    Two neurons half a unit apart, joined by a weight of 2, pay 2 (A 0.5 + y*):

    >>> import torch, brainrnn as br
    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.constant_(net.weight, 2.0)
    >>> placed = br.place(net, {"a": [[0.0]], "b": [[0.5]]}, {"weight": "b a"})
    >>> br.connection_cost(placed, br.CostSpec(locality=3.0, offset=1.0)).tolist()
    [5.0]
    """
    coefficients = cost_coefficients(net, spec, progress)
    parameters = net.weights()
    total = [
        (parameters[name].abs() * cost).flatten(1).sum(1) for name, cost in coefficients.items()
    ]
    if not total:  # nothing but biases, which cost nothing yet
        return net.anchor().new_zeros(net.members)
    return torch.stack(total).sum(0)
