"""What a network pays for its wiring, and how its neurons swap places to pay less."""

from brainrnn.wiring_cost.cost import CostSpec, connection_cost, cost_coefficients
from brainrnn.wiring_cost.method import BIMT
from brainrnn.wiring_cost.strength import count_live, live_neurons, present, wiring_strength
from brainrnn.wiring_cost.swap import SwapSpec, importance, relocate, site_costs

__all__ = [
    "BIMT",
    "CostSpec",
    "SwapSpec",
    "connection_cost",
    "cost_coefficients",
    "count_live",
    "importance",
    "live_neurons",
    "present",
    "relocate",
    "site_costs",
    "wiring_strength",
]
