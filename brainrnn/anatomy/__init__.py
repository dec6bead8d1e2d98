"""Who sits where: sites and distances, populations, wiring patterns, placed networks."""

from brainrnn.anatomy.geometry import (
    DISTANCES,
    Distance,
    great_circle,
    grid,
    l1,
    l2,
    line,
    periodic,
    ring,
    sphere,
)
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.placed import Placed, per_member
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.anatomy.wiring import Axis, parse_wiring

__all__ = [
    "DISTANCES",
    "Anatomy",
    "Axis",
    "Distance",
    "Placed",
    "PlacedNetwork",
    "Population",
    "great_circle",
    "grid",
    "l1",
    "l2",
    "line",
    "parse_wiring",
    "per_member",
    "periodic",
    "ring",
    "sphere",
]
