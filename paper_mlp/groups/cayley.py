"""Cayley graphs of S4 with the elements that a neuron responds to ("Seeing Is Believing", Fig. A6).

The generators are the paper's: 4123, a cycle of all four objects, and 2314, a cycle of three.
"""

from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainrnn import MLP
from brainrnn.plots.style import INK, NEGATIVE, POSITIVE, module_colours, no_frame
from paper_mlp.groups.embedding import active_embedding, normalised
from paper_mlp.groups.permutations import check_s4, neuron_panels, one_line, parity
from paper_mlp.groups.representations import TETRAHEDRA, representation
from tasks.fixed import FixedTask
from tasks.groups import symmetric_group, symmetric_table

GENERATORS = {"4123": NEGATIVE, "2314": POSITIVE}  # and the colour of their arrows
CLEARANCE = 0.045  # between an element and the ends of its arrows, of the picture's width
RESPONSE = 0.5  # size of a normalised embedding that counts as 1
_GREEN, _ORANGE = (to_hex(colour) for colour in module_colours(np.array([2, 1])))


def cayley_graph() -> nx.DiGraph:
    """Cayley graph of S4: an arrow from every g to "g after s" for each generator s.

    Nodes are numbered as in :func:`tasks.groups.symmetric_group`; an arrow's attribute
    ``generator`` is its generator in one-line notation.

    The product of the generators is a transposition, so the graph is the skeleton of a
    rhombicuboctahedron: the six cycles of 4123 and the eight of 2314 are squares and triangles,
    and around each of the other twelve squares the two generators alternate.
    """
    names = one_line(symmetric_group(4))
    table = symmetric_table(4)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(24))
    for generator in GENERATORS:
        arrows = enumerate(table[:, names.index(generator)].tolist())
        graph.add_edges_from(arrows, generator=generator)
    return graph


def cayley_layout() -> Float[np.ndarray, "element 2"]:
    """Positions of the 24 elements in the plane that let no two arrows cross, (element, 2).

    S4 is the group of rotations of a cube, and moves a corner of the rhombicuboctahedron onto every
    other. The solid is seen from above a square of 4123, the identity's, and spread out by the
    angle from there: a square, two octagons and a square around each other.
    """
    # Times the parity, the tetrahedron's symmetries are the rotations of a cube.
    group = symmetric_group(4)
    rotations = representation(TETRAHEDRA["C"]) * parity(group)[:, None, None]
    names = one_line(group)
    square, triangle = (_axis(rotations[names.index(generator)]) for generator in GENERATORS)
    triangle *= np.sign(square @ triangle)
    # A corner (1, 1, 1 + sqrt 2): near the axes of one triangle and one square.
    corners = rotations @ (np.sqrt(3) * triangle + np.sqrt(2) * square)
    corners /= np.linalg.norm(corners[0])
    ahead = corners[0] - (corners[0] @ square) * square
    turn = np.arctan2(corners @ np.cross(square, ahead), corners @ ahead)
    # Steep enough outside for the outer square to clear the octagon.
    radius = np.tan(np.arccos(corners @ square) / 3.5)
    turn += 0.75 * np.pi  # the identity stands at the upper left
    return radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def plot_cayley(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Mark on Cayley graphs of S4 which elements each active neuron responds to (Fig. A6).

    Green: the normalised embedding exceeds 1/2; orange: it is below -1/2; no circle: between. The
    paper says "close to 1 or -1" and gives no threshold.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        Composition of permutations of 4 objects.
    member : int
        Which network.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the task is another, or there is no such network or it has no active input neuron.
    """
    check_s4(task)
    embedding = normalised(active_embedding(net, member))
    columns = math.ceil(math.sqrt(embedding.sizes["neuron"]))
    figure, panels = neuron_panels(embedding, (3.0, 3.2), columns, margin=0.35)
    graph, layout = cayley_graph(), cayley_layout()
    for ax, values in zip(panels, embedding.values, strict=True):
        _draw(ax, graph, layout, values)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure


def _axis(rotation: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, " 3"]:
    """Unit vector that a rotation leaves where it is, (3,)."""
    values, vectors = np.linalg.eig(rotation)
    axis = vectors[:, np.abs(values - 1).argmin()].real
    return axis / np.linalg.norm(axis)


def _draw(
    ax: Axes,
    graph: nx.DiGraph,
    layout: Float[np.ndarray, "element 2"],
    values: Float[np.ndarray, " element"],
) -> None:
    for generator, colour in GENERATORS.items():
        arrows = np.array([edge for *edge, s in graph.edges(data="generator") if s == generator])
        start, end = layout[arrows.T]
        along = end - start
        gap = CLEARANCE * np.ptp(layout) * along / np.linalg.norm(along, axis=1, keepdims=True)
        ax.quiver(
            *(start + gap).T,
            *(along - 2 * gap).T,
            color=colour,
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.004,
            headwidth=6,
            headlength=6,
            headaxislength=5.5,
        )
    marked = np.abs(values) > RESPONSE
    colours = np.where(marked, np.where(values > 0, _GREEN, _ORANGE), "white")
    rims = np.where(marked, INK, "white").tolist()
    x, y = layout.T
    ax.scatter(x, y, s=230, c=colours.tolist(), edgecolors=rims, zorder=2)
    for a, b, name in zip(x, y, one_line(symmetric_group(4)), strict=True):
        ax.text(a, b, name, fontsize=6, color=INK, ha="center", va="center", zorder=3)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.margins(0.07)
    ax.set_aspect("equal")
    no_frame(ax)


def _legend() -> list[Line2D]:
    """What circles and arrows mean."""
    circle: dict[str, Any] = {"marker": "o", "ls": "", "ms": 8, "mec": INK}
    return [
        Line2D([], [], color=_GREEN, label="near 1", **circle),
        Line2D([], [], color=_ORANGE, label="near −1", **circle),
        *(
            Line2D([], [], color=colour, label=f"g → g ∘ {generator}")
            for generator, colour in GENERATORS.items()
        ),
    ]
