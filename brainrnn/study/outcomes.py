"""What became of a network of any kind: what it gets right, and with how much wiring."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from brainrnn.analysis.feedforward.assessment import count_active
from brainrnn.analysis.graph.modularity import newman_modularity
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.runs.experiment import Experiment
from brainrnn.study.pruning import count_connections, possible
from brainrnn.study.wiring import wiring_length
from brainrnn.task import Examples, Suite, Task, Trials
from brainrnn.training.loop import answer
from brainrnn.wiring_cost.strength import count_live

QUANTITIES = {
    "accuracy": "accuracy",
    "loss": "loss",
    "absent": "connections absent",
    "wiring_length": "wiring length",
    "mean_length": "mean length of a connection",
    "modularity": "Newman's modularity",
    "active": "active neurons",
}


def outcome(
    net: PlacedNetwork,
    task: Task,
    *,
    trials: int,
    rng: np.random.Generator,
    modularity: bool = True,
) -> pd.DataFrame:
    """What is known of every member of a network, whatever its kind and its task.

    Parameters
    ----------
    net : PlacedNetwork
    task : Task
    trials : int
        Held-out trials of each task, where they are drawn.
    rng : numpy Generator
        Draws them.
    modularity : bool
        Whether to find Newman's modularity; NaN without.

    Returns
    -------
    DataFrame
        A row for each member: ``accuracy`` (NaN in a regression) and ``loss`` on held-out trials,
        means over tasks; ``connections`` (weights between neurons with places that are there,
        :func:`brainrnn.wiring_cost.strength.present`) and ``absent`` (the fraction that is not);
        ``wiring_length`` and ``mean_length``; ``modularity``; and ``active``: of a feed-forward
        network hidden neurons on a live path from input to output, of a recurrent one neurons with
        incoming and outgoing connections.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import two_moons
    >>> task = two_moons()
    >>> net = br.MLP.on_lines(task.n_inputs, task.n_outputs, br.MLPSpec(hidden=(4,)), members=2)
    >>> table = outcome(net, task, trials=1, rng=np.random.default_rng(0))
    >>> len(table), table.connections.tolist()
    (2, [16, 16])
    """
    score, loss = _scored(net, task, trials, rng)
    there = count_connections(net)
    length, mean = wiring_length(net)
    columns: dict[str, Tensor] = {
        "accuracy": score,
        "loss": loss,
        "connections": there,
        "absent": 1 - there.double() / possible(net),
        "wiring_length": length,
        "mean_length": mean,
    }
    table = pd.DataFrame({name: value.cpu().numpy() for name, value in columns.items()})
    table["modularity"] = newman_modularity(net).values if modularity else math.nan
    active = count_live(net) if isinstance(task, Suite) else count_active(net)
    table["active"] = active.cpu().numpy()
    return table


def member_settings(experiment: Experiment) -> pd.DataFrame:
    """What tells the members of a network apart: a row for each, a column for each such setting.

    Columns are called as keys of the configuration, with ``_`` for dots and without the section.

    Examples
    --------
    >>> experiment = Experiment(
    ...     network={"kind": "mlp", "members": 2}, method={"strength": (0.0, 1.0)}
    ... )
    >>> member_settings(experiment)
       strength
    0       0.0
    1       1.0
    """
    network, method = experiment.network, experiment.method
    values = {
        "start": network.starts,
        "perturbation": network.perturbation,
        "strength": method.strength,
        "locality": method.locality,
        "swap_locality": method.swap.locality,
    }
    each = {name: value for name, value in values.items() if isinstance(value, tuple)}
    return pd.DataFrame(each, index=range(network.members))


@torch.no_grad()
def _scored(
    net: PlacedNetwork, task: Task, trials: int, rng: np.random.Generator
) -> tuple[Float[Tensor, " member"], Float[Tensor, " member"]]:
    """Mean score and loss over tasks; one task at a time, which bounds the memory."""
    device = net.anchor().device
    every: list[Trials | Examples]
    if isinstance(task, Suite):
        every = [task.sample(trials, rng, task=np.full(trials, i)) for i in range(len(task.names))]
    else:
        every = [task.held_out(trials, rng)]
    found = []
    for batch in (batch.to(device) for batch in every):
        outputs = answer(net, batch)
        score = task.score(outputs, batch).double().flatten(1).mean(1)
        found.append((score, task.loss(outputs, batch).double()))
    scores, losses = zip(*found, strict=True)
    return torch.stack(scores).mean(0), torch.stack(losses).mean(0)
