"""Quantities that a formula passes through on its way to the result, and who carries them.

"Seeing Is Believing", Section 3.1 and Appendix B.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from brainrnn.analysis.feedforward.activations import correlations, stage_activity
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from tasks.fixed import FixedTask


@dataclass(frozen=True)
class Quantities:
    """Intermediate quantities of a formula.

    Attributes
    ----------
    population : str
        Where the paper finds them: its layer A2 is the population h2.
    labels : tuple of str
        One per quantity; matplotlib's mathematical text.
    function : callable
        (example, input) to (example, quantity).
    """

    population: str
    labels: tuple[str, ...]
    function: Callable[[Float[np.ndarray, "example input"]], Float[np.ndarray, "example quantity"]]


QUANTITIES = {
    "sharing": Quantities("h2", ("$x_1^2$", "$x_2^2$", "$x_3^2$"), np.square),
    "composition": Quantities(
        "h3",
        ("$I$",),
        lambda x: (x[:, [0]] - x[:, [1]]) ** 2 + (x[:, [2]] - x[:, [3]]) ** 2,
    ),
}


def quantities_of(
    net: MLP, task: FixedTask
) -> tuple[Quantities, Float[np.ndarray, "example quantity"]]:
    """Intermediate quantities of a task, and their values in its test examples.

    For the composition y = sqrt((x1 - x2)^2 + (x3 - x4)^2), the paper writes y = sqrt(I): I is the
    square of the target, not the target. This fits Eq. A3, a root of the neuron's activation.

    Returns
    -------
    quantities : Quantities
    values : (example, quantity) float64

    Raises
    ------
    InputError
        If the task has none, or the network lacks the layer where they are sought.
    """
    if task.name not in QUANTITIES:
        raise InputError(
            f"task {task.name!r} has no intermediate quantities: they are known for "
            + " and ".join(map(repr, QUANTITIES))
        )
    quantities = QUANTITIES[task.name]
    hidden = list(net.anatomy.populations)[1:-1]
    if quantities.population not in hidden:
        raise InputError(
            f"the intermediate quantities of {task.name!r} are sought in hidden layer "
            f"{quantities.population}, but the network has {len(hidden)}: train a deeper one"
        )
    return quantities, quantities.function(task.test.inputs.double().cpu().numpy())


def quantity_correlations(net: MLP, task: FixedTask) -> xr.DataArray:
    """Correlation of every neuron with every intermediate quantity, over the test examples.

    Parameters
    ----------
    net : MLP
    task : FixedTask

    Returns
    -------
    (member, neuron, quantity) float64
        Pearson's correlation of the activations in the layer where the paper finds the quantities,
        -1 to 1; 0 for a neuron whose activation does not vary.

    Raises
    ------
    InputError
        See :func:`quantities_of`.
    """
    quantities, values = quantities_of(net, task)
    activity = stage_activity(net, task.test.inputs, quantities.population)
    return xr.DataArray(
        correlations(activity, values),
        dims=("member", "neuron", "quantity"),
        coords={"quantity": list(quantities.labels)},
        attrs={"long_name": "correlation", "units": "1", "population": quantities.population},
    )
