"""Public names; `__init__.py` imports each when it is first used."""

from .cost import CostSpec as CostSpec
from .cost import connection_cost as connection_cost
from .cost import cost_coefficients as cost_coefficients
from .method import BIMT as BIMT
from .proximal import soft_threshold as soft_threshold
from .proximal import step_threshold as step_threshold
from .strength import count_live as count_live
from .strength import live_neurons as live_neurons
from .strength import present as present
from .strength import wiring_strength as wiring_strength
from .swap import SwapSpec as SwapSpec
from .swap import importance as importance
from .swap import relocate as relocate
from .swap import site_costs as site_costs
