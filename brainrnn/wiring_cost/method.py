"""Brain-inspired modular training: a connection cost, and neurons that swap places."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from brainrnn.config import NonNegative
from brainrnn.wiring_cost.cost import CostSpec
from brainrnn.wiring_cost.swap import SwapSpec


class BIMT(CostSpec):
    """L1 + local + swap, with a strength that ramps up while the network learns.

    Its ablations are settings of it: ``strength=0`` is no penalty, ``locality=0`` plain L1,
    ``swap=SwapSpec(algorithm="none")`` no swaps ("Seeing Is Believing", Section 2).

    >>> l1 = BIMT(locality=0.0, swap=SwapSpec(algorithm="none"))
    """

    schedule: tuple[tuple[Annotated[float, Field(ge=0, le=1)], NonNegative], ...] = Field(
        ((0.0, 0.05), (0.5, 1.0)),
        description="[fraction of training, factor on lambda] pairs",
    )
    interpolation: Literal["constant", "linear"] = Field(
        "linear", description="how lambda goes from one pair of the schedule to the next"
    )
    swap: SwapSpec = SwapSpec()
