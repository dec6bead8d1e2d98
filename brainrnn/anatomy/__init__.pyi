"""Public names; `__init__.py` imports each when it is first used."""

from .geometry import DISTANCES as DISTANCES
from .geometry import Distance as Distance
from .geometry import great_circle as great_circle
from .geometry import grid as grid
from .geometry import l1 as l1
from .geometry import l2 as l2
from .geometry import line as line
from .geometry import periodic as periodic
from .geometry import ring as ring
from .geometry import sphere as sphere
from .inference import infer_wiring as infer_wiring
from .module import PlacedModule as PlacedModule
from .network import PlacedNetwork as PlacedNetwork
from .placed import Placed as Placed
from .placed import Trainable as Trainable
from .placed import per_member as per_member
from .placing import place as place
from .populations import Anatomy as Anatomy
from .populations import Population as Population
from .wiring import Axis as Axis
from .wiring import Layout as Layout
from .wiring import parse_layout as parse_layout
from .wiring import parse_wiring as parse_wiring
