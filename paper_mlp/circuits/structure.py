"""Whether a trained network shows the structure that the paper sees in its pictures.

Each check says yes or no for every member, so that structure is reported as a rate over seeds and
never by one picture. Live connections and active neurons are those of ``brainrnn.analysis``.
"Seeing Is Believing", Figures 2-4.
"""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Int

from brainrnn.analysis.feedforward.paths import input_dependence
from brainrnn.analysis.graph.live import active_neurons
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from paper_mlp.circuits.quantities import quantity_correlations
from tasks.fixed import FixedTask

_CARRIES = 0.95  # a neuron carries a quantity if their |correlation| is above this


def hidden_count(net: MLP) -> Int[np.ndarray, " member"]:
    """Number of active hidden neurons, (member,)."""
    hidden = list(active_neurons(net).values())[1:-1]
    return torch.cat(hidden, dim=1).sum(1).cpu().numpy()


def two_modules(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether the two products are computed by two parallel modules (Fig. 2e), (member,) bool.

    Both targets need both products, so modules can only be separate up to the outputs. Without
    the outputs, the live connections among inputs and active hidden neurons must fall into exactly
    two connected parts, one that holds x1 and x4, and one that holds x2 and x3; and every output
    must depend on all four inputs. The paper judges by eye.
    """
    _need(task, "products")
    modules = torch.tensor([[True, False, False, True], [False, True, True, False]])
    depends, active = input_dependence(net), active_neurons(net)
    parts = [depends[name] & active[name][:, :, None] for name in list(depends)[1:-1]]
    neurons = torch.cat(parts, dim=1)[:, :, None, :].cpu()  # (member, hidden neuron, 1, input)
    uses = (neurons & modules).any(3)
    # Two inputs of a part are connected if, and only if, some neuron depends on both.
    joins = (neurons | ~modules).all(3)
    separate = ~uses.all(2).any(1)
    return (separate & joins.any(1).all(1) & depends["out"].cpu().all(2).all(1)).numpy()


def no_cross_path(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether the network splits into two independent modules (Fig. 3a), (member,) bool.

    No path of live connections joins x1 or x3 to the target of x2 and x4, or x2 or x4 to that of
    x1 and x3; and paths join each target to both of its own inputs.
    """
    _need(task, "independence")
    own = torch.tensor([[False, True, False, True], [True, False, True, False]])
    return (input_dependence(net)["out"].cpu() == own).all(2).all(1).numpy()


def three_squares(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether A2 holds the three shared features (Fig. 3b), (member,) bool.

    Each square x_i^2 must have a neuron of its own in h2 that is active and whose activation has a
    |correlation| above 0.95 with it over the test examples. Other neurons of h2 may be active too.
    """
    _need(task, "sharing")
    size = _active_correlations(net, task)
    neuron = size.argmax("neuron").values  # (member, square)
    distinct = np.array([len(set(row)) == len(row) for row in neuron])
    return distinct & (size.max("neuron") > _CARRIES).all("quantity").values


def only_three_squares(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether the three squares are all that is active in A2 (Fig. 3b), (member,) bool."""
    return three_squares(net, task) & (_count(net, "h2") == 3)


def one_input_each(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether every active neuron of A2 depends on a single input (Fig. 3b), (member,) bool.

    Every target must depend on all of its own inputs too, since a network without connections
    shares nothing. A feature may then be shared by two neurons, one for the positive and one for
    the negative values of its input; the paper's picture has one neuron for each, as in
    :func:`three_squares`.
    """
    _need(task, "sharing")
    inputs = {name: depends.cpu() for name, depends in input_dependence(net).items()}
    single = (inputs["h2"].sum(2) == 1) | ~active_neurons(net)["h2"].cpu()
    own = torch.ones(task.n_outputs, task.n_inputs, dtype=torch.bool).tril()
    complete = (inputs["out"] | ~own).all((1, 2))
    return (single.all(1) & complete).numpy()


def one_neuron_carries(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether a neuron of A3 holds the intermediate quantity I (Fig. 3c), (member,) bool.

    It must be active, and its |correlation| with I = (x1 - x2)^2 + (x3 - x4)^2 over the test
    examples above 0.95. Other neurons of h3 may be active too.
    """
    _need(task, "composition")
    size = _active_correlations(net, task)
    return (size.max("neuron") > _CARRIES).all("quantity").values


def only_one_neuron_carries(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether the neuron that holds I is the only active one of A3 (Fig. 3c), (member,) bool."""
    return one_neuron_carries(net, task) & (_count(net, "h3") == 1)


def six_neurons(net: MLP, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether exactly six hidden neurons are active (Fig. 4), (member,) bool."""
    _need(task, "two_moons")
    return hidden_count(net) == 6


def _need(task: FixedTask, name: str) -> None:
    if task.name != name:
        raise InputError(f"this check is of networks trained on {name!r}, got {task.name!r}")


def _active_correlations(net: MLP, task: FixedTask) -> xr.DataArray:
    """|Correlation| of neurons with quantities, 0 where the neuron is not active."""
    correlation = quantity_correlations(net, task)
    active = active_neurons(net)[correlation.attrs["population"]].cpu().numpy()
    return abs(correlation) * active[:, :, None]


def _count(net: MLP, population: str) -> Int[np.ndarray, " member"]:
    return active_neurons(net)[population].sum(1).cpu().numpy()
