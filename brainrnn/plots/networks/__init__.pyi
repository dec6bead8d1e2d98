"""Public names; `__init__.py` imports each when it is first used."""

from .animation import animate as animate
from .network import draw_network as draw_network
from .network import draw_networks as draw_networks
