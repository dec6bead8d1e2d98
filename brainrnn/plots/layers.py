"""Where a feed-forward network is drawn: layers one above the other, neurons at their places."""

from __future__ import annotations

import networkx as nx
import numpy as np

from brainrnn.analysis.graph import connections
from brainrnn.anatomy import PlacedNetwork
from brainrnn.errors import InputError

Rows = dict[str, np.ndarray]  # population, inputs first -> discs, (fold, neuron, 2)
Ends = dict[str, tuple[np.ndarray, np.ndarray]]  # parameter -> discs of its rows and its columns

_FOLD = 0.3  # between the rows of two tokens, where layers are 1 apart


def layer_rows(net: PlacedNetwork, member: int) -> Rows:
    """Where every neuron is drawn: x is its place, y its layer, from 0 at the input.

    Folds of a source are rows below each other, the first in its layer's place.

    Raises
    ------
    InputError
        If the network is not feed-forward, not one population after the other, or not on lines.
    """
    graph = nx.DiGraph()
    folds: dict[str, int] = {}
    for name in connections(net):
        out, source = net.anatomy.wiring[name]
        graph.add_edge(source.population, out.population)
        folds[str(source.population)] = max(source.folds, folds.get(str(source.population), 1))
    sites = [population.sites for population in net.anatomy.populations.values()]
    feed_forward = len(graph) and nx.is_directed_acyclic_graph(graph)
    layers = list(nx.topological_generations(graph)) if feed_forward else []
    if not layers or any(len(layer) > 1 for layer in layers) or any(s.shape[1] > 1 for s in sites):
        raise InputError(
            f"a connectivity graph shows layers on lines, each fed by those below it, and a "
            f"{type(net).__name__} is not made of these; plot_map draws recurrent networks"
        )
    rows = {}
    for level, (name,) in enumerate(layers):
        x = net.anatomy.positions(name)[member, :, 0].cpu().numpy()
        y = level - _FOLD * np.arange(folds.get(name, 1))[:, None]
        rows[name] = np.stack(np.broadcast_arrays(x, y), axis=-1)
    return rows


def connection_ends(net: PlacedNetwork, rows: Rows) -> Ends:
    """Where the rows and the columns of every parameter are drawn, (row, 2) and (column, 2)."""
    ends = {}
    for name in connections(net):
        out, source = net.anatomy.wiring[name]
        end = np.tile(rows[str(out.population)][0], (out.folds, 1))
        ends[name] = end, rows[str(source.population)][: source.folds].reshape(-1, 2)
    return ends


def natural_size(rows: Rows, *, titled: bool) -> tuple[float, float]:
    """Width and height in inches of a figure of its own."""
    width = min(max(3.2, 0.13 * max(row.shape[1] for row in rows.values())), 8.0)
    return width, 0.7 + max(0.85, 0.14 * width) * (len(rows) - 1) + 0.25 * titled
