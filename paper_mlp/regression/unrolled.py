"""A transformer unrolled over the tokens of a sequence: a column for each, joined by attention.

Fig. 7 of "Seeing Is Believing" shows the column of the last token alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from brainrnn.analysis.feedforward.paths import is_attention
from brainrnn.analysis.graph.live import check_member, live_connections
from brainrnn.networks import Transformer
from brainrnn.plots.networks.labels import write_labels
from brainrnn.plots.networks.layers import Layout, connection_ends, lay_out
from brainrnn.plots.style import FAINT, INACTIVE, INK, NEGATIVE, POSITIVE, new_figure
from paper_mlp.regression.names import stage_name, token_names
from paper_mlp.regression.paths import asked_outputs, unrolled_paths
from tasks.fixed import FixedTask

_GAP = 0.25  # between columns, which are one wide
_TALL = 1.6  # storeys high are those of attention, whose lines go far to the side
_COLUMN, _STOREY = 2.9, 0.72  # inches
_THICKEST = 1.8  # points
_VISIBLE = 0.003  # of the parameter's largest weight; thinner lines leave no ink
_PALE = 0.1  # opacity of what leads from no input to an answer


def plot_unrolled(net: Transformer, task: FixedTask, member: int = 0) -> Figure:
    """Draw one network with a column for each token, inputs at the bottom, outputs at the top.

    Lines and discs are as in :func:`brainrnn.plots.draw_network`: blue is positive, red negative,
    thickness proportional to |weight| relative to the parameter's largest. Into a head of attention
    there are three kinds of lines. Those of values and of keys come from the stream of every token
    up to the head's own; those of queries from its own alone. Lines of keys and queries, which
    decide how much of a value arrives, are dotted. How much arrives in the mean is
    :func:`paper_mlp.regression.attention.attention_table`; it does not enter the thickness.

    What is on no path from an input to the answer (:func:`unrolled_paths`), among that the outputs
    that nobody asks for, is pale. The stream passes from each of its moments to the next without a
    line, as in the paper.

    Raises
    ------
    InputError
        If there is no such network, or the task is not in-context regression.
    """
    check_member(net, member)
    names = token_names(task)
    one = net.select(member)
    paths = {name: on[0].cpu().numpy() for name, on in unrolled_paths(one, task).items()}
    layout = _stretched(one, lay_out(one, 0))
    top = max(row[0, 0, 1] for row in layout.rows.values())
    figure = new_figure(_COLUMN * len(names) + 0.6, _STOREY * top + 1.0)
    ax = figure.add_subplot()
    ax.set_axis_off()
    ax.set_xlim(-0.02, (1 + _GAP) * len(names) - _GAP + 0.02)
    ax.set_ylim(-0.1, top + 0.1)
    _draw_lines(ax, _lines(one, layout, paths))
    _draw_discs(ax, layout, paths)
    _write(ax, task, layout)
    return figure


@dataclass(frozen=True)
class _Lines:
    """Connections between two stages, from the neurons of one token to those of one token."""

    ends: Float[np.ndarray, "line 2 2"]
    strength: Float[np.ndarray, " line"]  # of the parameter's largest
    matters: Bool[np.ndarray, " line"]  # on a path to the answer
    dotted: Bool[np.ndarray, " line"]


def _lines(
    net: Transformer, layout: Layout, paths: dict[str, Bool[np.ndarray, "position _"]]
) -> list[_Lines]:
    live, drawn = live_connections(net), connection_ends(net, layout)
    found = []
    for before, stage in pairwise(layout.chain):
        name = str(stage.parameter)
        weight = net.get_parameter(name)[0].detach().double().cpu().numpy()
        weight = weight / max(np.abs(weight).max(), np.finfo(float).tiny)
        row, column = np.nonzero(np.abs(weight) >= _VISIBLE)
        here = live[name][0].cpu().numpy()[row, column]
        end, start = drawn[name][0][row], drawn[name][1][column]
        tokens, size = paths[stage.name].shape
        fold = row // size if is_attention(net, name) else np.full(len(row), 2)
        for to in range(tokens):
            for source in range(to + 1) if is_attention(net, name) else [to]:
                kept = (fold > 0) | (source == to)
                on = here & paths[before.name][source, column] & paths[stage.name][to, row % size]
                ends = np.stack([start + _column(source), end + _column(to)], axis=1)
                found.append(
                    _Lines(ends[kept], weight[row, column][kept], on[kept], fold[kept] < 2)
                )
    return found


def _stretched(net: Transformer, layout: Layout) -> Layout:
    """Give attention more height."""
    storeys = [
        _TALL if is_attention(net, str(stage.parameter)) else 1.0 for stage in layout.chain[1:]
    ]
    height = np.concatenate([[0.0], np.cumsum(storeys)])
    rows = {
        name: np.stack([row[..., 0], height[row[..., 1].astype(int)]], axis=-1)
        for name, row in layout.rows.items()
    }
    return replace(layout, rows=rows)


def _column(token: int) -> Float[np.ndarray, " 2"]:
    """From the places of a network's neurons to their discs in a token's column."""
    return np.array([(1 + _GAP) * token, 0])


def _draw_lines(ax: Axes, groups: list[_Lines]) -> None:
    ends, strength, matters, dotted = (
        np.concatenate([getattr(group, part) for group in groups])
        for part in ("ends", "strength", "matters", "dotted")
    )
    order = np.argsort(np.abs(strength), kind="stable")
    for chosen, style, alpha in (
        (~matters, "solid", _PALE),
        (matters & dotted, (0, (1, 1.5)), 1),
        (matters & ~dotted, "solid", 1),
    ):
        some = order[chosen[order]]
        lines = LineCollection(
            ends[some],
            colors=np.where(strength[some] > 0, POSITIVE, NEGATIVE),
            linewidths=_THICKEST * np.abs(strength[some]),
            linestyles=[style],
            alpha=alpha,
            zorder=1 + (alpha == 1),
            rasterized=len(some) > 2000,  # keeps vector files small
        )
        ax.add_collection(lines)


def _draw_discs(ax: Axes, layout: Layout, paths: dict[str, Bool[np.ndarray, "position _"]]) -> None:
    for name, row in layout.rows.items():
        size = np.clip(0.5 * 72 * _COLUMN / (1 + _GAP) / row.shape[1], 1.6, 4.0)  # points
        for token, on in enumerate(paths[name]):
            discs = row[0] + _column(token)
            for some, colour, order in ((discs[~on], INACTIVE, 3), (discs[on], INK, 4)):
                ax.scatter(some[:, 0], some[:, 1], s=size**2, color=colour, lw=0, zorder=order)


def _write(ax: Axes, task: FixedTask, layout: Layout) -> None:
    """Write what stands at inputs and at the outputs that are asked for, and the stages' names."""
    first, last = layout.chain[0].name, layout.chain[-1].name
    names, asked = token_names(task), asked_outputs(task)
    for token, name in enumerate(names):
        points = layout.rows[first][0] + _column(token)
        given = np.arange(len(points)) == 0 if name.startswith("y") else np.arange(len(points)) > 0
        words = _symbols(name, int(given.sum()))
        write_labels(ax, points[given], words, offset=-5)
        write_labels(ax, points[~given], ["0"] * int((~given).sum()), offset=-5, colour=FAINT)
        wanted = asked[token].numpy()
        labels = [label for label, on in zip(task.output_labels, wanted, strict=True) if on]
        write_labels(ax, (layout.rows[last][0] + _column(token))[wanted], labels, offset=5)
    for name, row in layout.rows.items():
        ax.annotate(
            stage_name(name),
            (0, row[0, 0, 1]),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            color=FAINT,
        )


def _symbols(name: str, n: int) -> list[str]:
    """What stands at the neurons of a token: its name, with the number of the dimension."""
    if n == 1:
        return [f"${name}$"]
    symbol, _, number = name.partition("_")
    return [f"${symbol}_{{{','.join(filter(None, (number, str(i + 1))))}}}$" for i in range(n)]
