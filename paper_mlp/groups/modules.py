"""Modules of a network of tokens: the roots of its trees, and how far they survive a change.

"Seeing Is Believing", Section 3.3 (Fig. 5: A, B and C) and Appendix D.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from brainrnn import MLP, InputError
from brainrnn.analysis.feedforward.paths import input_dependence
from brainrnn.analysis.graph.live import active_neurons
from paper_mlp.groups.embedding import check_tokens


def embedding_modules(net: MLP, *, threshold: float = 0.05) -> Int[np.ndarray, "member neuron"]:
    """Number the modules of every network's input layer from the left.

    Two active input neurons belong to one module if live connections lead from both to a common
    neuron of the last hidden layer, or if others link them so: modules are the roots of trees that
    nothing joins before the output. The paper names its modules by eye. Places play no part: if
    the neurons of a module are neighbours, training has made them so.

    Parameters
    ----------
    net : MLP
        Of tokens.
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    (member, neuron) int64
        0 (A in the paper) is the module whose neurons lie leftmost on average; -1 where a neuron is
        not active.

    Raises
    ------
    InputError
        If the network's inputs are no tokens.
    """
    check_tokens(net)
    linked = _linked(net, threshold).cpu().numpy()
    active = linked.diagonal(axis1=1, axis2=2)
    places = net.anatomy.places("input").cpu().numpy()
    modules = np.full(active.shape, -1)
    for member, neurons in enumerate(map(np.flatnonzero, active)):
        links = csr_array(linked[member][np.ix_(neurons, neurons)])
        n, label = connected_components(links, directed=False)
        count, total = (
            np.bincount(label, weights, minlength=n) for weights in (None, places[member, neurons])
        )
        modules[member, neurons] = (total / count).argsort().argsort()[label]
    return modules


def module_name(module: int | np.integer) -> str:
    """A, B, C, ... as in Fig. 5; after Z come AA, AB, ..."""
    prefix, letter = divmod(int(module), 26)
    return (module_name(prefix - 1) if prefix else "") + chr(ord("A") + letter)


def compare_modules(base: MLP, other: MLP, *, threshold: float = 0.05) -> pd.DataFrame:
    """Compare networks with a base network: how many modules, and whose places are still active.

    For networks that start from the base's weights plus noise (Appendix D, Fig. A5 top) or from
    other weights (bottom).

    Parameters
    ----------
    base : MLP
        With one member, which all of ``other`` are compared with, or as many as ``other``.
    other : MLP
        With populations of the same sizes.
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    DataFrame
        Indexed by the member of ``other``. ``base_modules`` and ``modules`` count modules; then
        one column for every population but the output: the Jaccard index of the two networks' sets
        of sites with an active neuron, 1 if they are the same, NaN if both are empty.

    Raises
    ------
    InputError
        If the networks' inputs are no tokens, or members or populations do not match.
    """
    sizes = [{k: len(p) for k, p in net.anatomy.populations.items()} for net in (base, other)]
    if sizes[0] != sizes[1] or base.members not in (1, other.members):
        raise InputError(
            f"cannot compare {other.members} networks of {sizes[1]} neurons with {base.members} of "
            f"{sizes[0]}: give the same populations, and a base of one member or as many"
        )
    counts = [embedding_modules(net, threshold=threshold).max(1) + 1 for net in (base, other)]
    table = pd.DataFrame(
        {"base_modules": np.broadcast_to(counts[0], other.members), "modules": counts[1]},
        index=pd.RangeIndex(other.members, name="member"),
    )
    before, after = (_active_sites(net, threshold) for net in (base, other))
    for name in list(before)[:-1]:
        both = (before[name] & after[name]).sum(1).double()
        table[name] = (both / (before[name] | after[name]).sum(1)).cpu().numpy()
    return table


@torch.no_grad()
def _linked(net: MLP, threshold: float) -> Bool[Tensor, "member neuron neuron"]:
    """Pairs of active input neurons that reach a common neuron, (member, input, input) bool."""
    active = active_neurons(net, threshold=threshold)
    depends = input_dependence(net, threshold=threshold, among=active)
    reach = depends[list(depends)[-2]].float()  # (member, neuron of the last hidden layer, input)
    return reach.mT @ reach > 0


def _active_sites(net: MLP, threshold: float) -> dict[str, Bool[Tensor, "member _"]]:
    """Sites with an active neuron, by population, (member, site) bool."""
    active = active_neurons(net, threshold=threshold)
    return {
        name: alive.gather(1, net.anatomy.places(name).argsort(1)) for name, alive in active.items()
    }
