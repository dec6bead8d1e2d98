"""What a neuron or a connection is for: copies of one network, each without some of them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool

from brainrnn.analysis.graph.live import check_member, live_connections
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.errors import InputError, unknown

Network = TypeVar("Network", bound=PlacedNetwork)


@torch.no_grad()
def silence(
    net: Network, population: str, neurons: Bool[np.ndarray, "copy neuron"], *, member: int = 0
) -> Network:
    """Copies of one network, in each of which some neurons send nothing.

    What a neuron sends, to others, to itself and to the readout, is a column of every matrix that
    leads from its population. These columns become 0, in all folds: all others see what they would
    see if the neuron were 0, in a recurrent network at every step, whatever the cell and its
    activation. Its own state, which nothing reads, goes on.

    Parameters
    ----------
    net : PlacedNetwork
    population : str
    neurons : (copy, neuron) bool
        Which neurons each copy is without.
    member : int
        Which network.

    Returns
    -------
    PlacedNetwork
        A member for each copy.

    Raises
    ------
    InputError
        If there is no such network or population, or these are not its neurons.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(4, 2, br.MLPSpec(hidden=(3,)))
    >>> copies = silence(net, "h1", np.eye(3, dtype=bool))  # each without one hidden neuron
    >>> copies.members, copies(torch.ones(8, 4)).shape
    (3, torch.Size([3, 8, 2]))
    """
    check_member(net, member)
    populations = net.anatomy.populations
    if population not in populations:
        raise InputError(unknown("population", population, populations))
    if neurons.shape[1] != len(populations[population]):
        raise InputError(
            f"population {population!r} has {len(populations[population])} neurons: say for each "
            f"of them whether it is silent, (copy, neuron), got {neurons.shape}"
        )
    copies = net.select(*[member] * len(neurons))
    for name, axes in net.anatomy.wiring.items():
        if len(axes) == 2 and axes[1].population == population:
            weight = copies.wired(name)
            gone = torch.from_numpy(np.tile(neurons, axes[1].folds)).to(weight.device)
            weight.masked_fill_(gone[:, None], 0)
    return copies


@torch.no_grad()
def without_each_connection(
    net: Network, member: int = 0, *, threshold: float = 0.05
) -> tuple[Network, xr.Dataset]:
    """Copies of one network, each without one of its live connections.

    Live as in :func:`brainrnn.analysis.live_connections`, whether or not on a path from an input: a
    constant matters too. The weight of the connection becomes 0.

    Parameters
    ----------
    net : PlacedNetwork
    member : int
        Which network.
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    copies : PlacedNetwork
        A member for each connection.
    table : Dataset
        Along ``weight``, in the order of the wiring: ``parameter``, ``row`` and ``column`` say
        which connection (neurons, not sites), and ``value`` is its weight.

    Raises
    ------
    InputError
        If there is no such network, no live connection in it, or the threshold is out of range.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=(2,)), seed=1)
    >>> copies, table = without_each_connection(net)
    >>> copies.members == table.sizes["weight"]
    True
    """
    check_member(net, member)
    one = net.select(member)
    live = live_connections(one, threshold=threshold)
    found = {name: taken[0].nonzero() for name, taken in live.items()}
    where = torch.cat(list(found.values()))
    if not len(where):
        raise InputError(f"network {member} has no live weight to remove")
    parameters = np.repeat(list(found), [len(each) for each in found.values()])
    copies = net.select(*[member] * len(where))
    rows, columns = where.T
    values = torch.zeros(len(where), dtype=torch.float64)
    for name in found:
        (k,) = np.nonzero(parameters == name)
        weight = copies.wired(name)
        values[k] = weight[k, rows[k], columns[k]].double().cpu()
        weight[k, rows[k], columns[k]] = 0
    variables = {
        "parameter": parameters,
        "row": rows.cpu().numpy(),
        "column": columns.cpu().numpy(),
        "value": values.numpy(),
    }
    return copies, xr.Dataset({name: ("weight", x) for name, x in variables.items()})
