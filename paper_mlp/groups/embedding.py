"""What the active input neurons of a network of tokens say about every token."""

from __future__ import annotations

import xarray as xr

from brainrnn import MLP, InputError
from brainrnn.analysis.graph.live import active_neurons


def active_embedding(net: MLP, member: int = 0, *, threshold: float = 0.05) -> xr.DataArray:
    """Embedding of every token in one network's active input neurons.

    Parameters
    ----------
    net : MLP
        Of tokens.
    member : int
        Which network.
    threshold : float
        See :func:`brainrnn.analysis.active_neurons`.

    Returns
    -------
    (neuron, token) float64
        Neurons in the order of their sites; the coordinate ``neuron`` is a neuron's index, ``site``
        the number that the paper prints under it: its site, counted from 1.

    Raises
    ------
    InputError
        If the network's inputs are no tokens, or it has no such member.
    """
    check_tokens(net)
    if not 0 <= member < net.members:
        raise InputError(f"network {member} does not exist: choose 0 to {net.members - 1}")
    places = net.anatomy.places("input")[member].cpu().numpy()
    active = active_neurons(net, threshold=threshold)["input"][member].cpu().numpy()
    neurons = places.argsort()
    neurons = neurons[active[neurons]]
    values = net.embedding[member].detach().double().cpu().numpy()[:, neurons].T
    return xr.DataArray(
        values,
        dims=("neuron", "token"),
        coords={"neuron": neurons, "site": ("neuron", places[neurons] + 1)},
    )


def normalised(embedding: xr.DataArray) -> xr.DataArray:
    """Divide every neuron's values by the largest |value| over tokens (Section 3.3).

    .. math:: \\tilde e_{ij} = e_{ij} / \\max_j |e_{ij}|
    """
    return embedding / abs(embedding).max("token")


def check_tokens(net: MLP) -> None:
    """Check that a network embeds tokens.

    Raises
    ------
    InputError
        If its inputs are vectors.
    """
    if not net.tokens:
        raise InputError("only a network of tokens has an embedding; this one's inputs are vectors")
