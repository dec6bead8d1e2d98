"""Pictures of feed-forward networks: layers on lines, planes in space, and films."""

from brainrnn.plots.networks.animation import animate
from brainrnn.plots.networks.network import draw_network, draw_networks

__all__ = [
    "animate",
    "draw_network",
    "draw_networks",
]
