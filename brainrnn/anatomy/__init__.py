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
from brainrnn.anatomy.inference import infer_wiring
from brainrnn.anatomy.module import PlacedModule, place
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.placed import Placed, per_member
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.anatomy.wiring import Axis, Layout, parse_layout, parse_wiring

__all__ = [
    "DISTANCES",
    "Anatomy",
    "Axis",
    "Distance",
    "Layout",
    "Placed",
    "PlacedModule",
    "PlacedNetwork",
    "Population",
    "great_circle",
    "grid",
    "infer_wiring",
    "l1",
    "l2",
    "line",
    "parse_layout",
    "parse_wiring",
    "per_member",
    "periodic",
    "place",
    "ring",
    "sphere",
]
