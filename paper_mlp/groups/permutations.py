"""Embeddings of permutations: active dimensions, and neurons that hold the sign (Section 3.3).

"Seeing Is Believing", Fig. 6: nine active embedding neurons, one of which tells even from odd.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainrnn import MLP, InputError
from brainrnn.analysis.graph.live import active_neurons
from brainrnn.plots.style import FAINT, INK, NEGATIVE, POSITIVE, new_figure, open_frame
from paper_mlp.groups.embedding import active_embedding, check_tokens, normalised
from tasks.fixed import FixedTask
from tasks.groups import symmetric_group

COLUMNS = 3
CORRELATION = 0.95  # |r| with the parity above which a neuron holds the sign


def elements(task: FixedTask) -> Int[np.ndarray, "element object"]:
    """The permutations that a task's tokens stand for, (token, object): token g sends i to [g, i].

    Raises
    ------
    InputError
        If the task's tokens are no permutations.
    """
    if task.name != "permutation":
        raise InputError(f"expected a network of permutations, got one of the task {task.name!r}")
    objects = next(n for n in range(task.n_inputs + 1) if math.factorial(n) >= task.n_inputs)
    return symmetric_group(objects)


def check_s4(task: FixedTask) -> None:
    """Check that a task is the composition of permutations of 4 objects.

    Raises
    ------
    InputError
        If it is another.
    """
    objects = elements(task).shape[1]
    if objects != 4:
        raise InputError(f"expected permutations of 4 objects, got {objects}")


def one_line(permutations: Int[np.ndarray, "element object"]) -> list[str]:
    """One-line notation, objects counted from 1: ``2314`` sends 1 to 2, 2 to 3, 3 to 1."""
    return ["".join(str(i + 1) for i in g) for g in permutations]


def parity(permutations: Int[np.ndarray, "element object"]) -> Int[np.ndarray, " element"]:
    """1 for even and -1 for odd permutations, (permutation,)."""
    before = np.triu_indices(permutations.shape[1], 1)
    inversions = (permutations[:, before[0]] > permutations[:, before[1]]).sum(1)
    return 1 - 2 * (inversions % 2)


def active_dimensions(net: MLP) -> Int[np.ndarray, " member"]:
    """How many input neurons are active, (member,)."""
    check_tokens(net)
    return active_neurons(net)["input"].sum(1).cpu().numpy()


def matrix_dimensions(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether a network has as many active dimensions as a matrix representation, (member,) bool.

    (n - 1)^2 for permutations of n objects: the paper's nine for S4, entries of 3 x 3 matrices.
    """
    return active_dimensions(net) == (elements(task).shape[1] - 1) ** 2


def sign_correlation(net: MLP, task: FixedTask, member: int = 0) -> xr.DataArray:
    """Correlation of every active neuron's embedding with the parity, (neuron,); 0 if constant."""
    embedding = active_embedding(net, member)
    sign = xr.DataArray(parity(elements(task)), dims="token")
    return xr.corr(embedding, sign, dim="token").fillna(0)


def has_sign_neuron(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether an active input neuron holds the sign of the permutation, (member,) bool.

    Its embedding must correlate with the parity by more than 0.95 in size. The paper names its
    neuron 22 by eye.
    """
    return np.array(
        [
            bool((abs(sign_correlation(net, task, member)) > CORRELATION).any())
            for member in range(net.members)
        ]
    )


def plot_embedding(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Embedding of every permutation in each active neuron, divided by its largest size (Fig. 6).

    Every panel is one neuron, under the number of its site. Odd permutations stand on grey; r is
    the correlation with the parity where a neuron holds it.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        Composition of permutations.
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
    permutations = elements(task)
    embedding = normalised(active_embedding(net, member))
    figure, panels = neuron_panels(embedding, (4.2, 1.15), COLUMNS, margin=0.9, share=True)
    correlation = sign_correlation(net, task, member).values
    for ax, values, r in zip(panels, embedding.values, correlation, strict=True):
        _draw(ax, values, parity(permutations))
        if abs(r) > CORRELATION:
            ax.set_title(f"sign, r = {r:.2f}", loc="right", fontsize=8, color=INK)
    for ax in panels[-COLUMNS:]:
        ax.tick_params(labelbottom=True)
        ax.set_xticks(
            np.arange(len(permutations)), one_line(permutations), rotation=90, fontsize=6.5
        )
    figure.supylabel("normalised embedding", fontsize=9, color=INK)
    return figure


def neuron_panels(
    embedding: xr.DataArray,
    size: tuple[float, float],
    columns: int,
    *,
    margin: float = 0.0,
    share: bool = False,
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel of ``size`` inches for each neuron, titled by the number of its site.

    ``margin`` inches are added to its height; ``share`` gives all panels the same axes.

    Raises
    ------
    InputError
        If there is no neuron.
    """
    n = embedding.sizes["neuron"]
    if not n:
        raise InputError("the network has no active input neuron: there is nothing to draw")
    columns = min(n, columns)
    rows = -(-n // columns)
    figure = new_figure(columns * size[0], rows * size[1] + margin)
    axes = list(figure.subplots(rows, columns, squeeze=False, sharex=share, sharey=share).flat)
    for ax in axes[n:]:
        ax.remove()
    for ax, site in zip(axes, embedding.site.values, strict=False):
        ax.set_title(f"neuron {site}", loc="left", fontsize=9, color=INK)
    return figure, axes[:n]


def _draw(
    ax: Axes, values: Float[np.ndarray, " element"], sign: Int[np.ndarray, " element"]
) -> None:
    place = np.arange(len(values))
    ax.bar(place[sign < 0], 2.3, 1, -1.15, color=FAINT, alpha=0.18, lw=0)
    ax.axhline(0, color=INK, lw=0.6)
    ax.bar(place, values, 0.7, color=np.where(values > 0, POSITIVE, NEGATIVE))
    ax.set_xlim(-0.7, len(values) - 0.3)
    ax.set_ylim(-1.15, 1.15)
    ax.set_yticks([-1, 0, 1])
    ax.tick_params(labelsize=7)
    open_frame(ax)
