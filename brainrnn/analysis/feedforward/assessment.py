"""A feed-forward network in numbers: what it gets right, what it pays, how modular it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Int
from torch import Tensor

from brainrnn.analysis.graph.live import active_neurons, live_connections
from brainrnn.analysis.graph.modularity import newman_modularity
from brainrnn.analysis.graph.stages import stages
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError
from brainrnn.task import Examples, Task
from brainrnn.training.loop import answer

TITLE = "brainrnn feed-forward analysis"


@torch.no_grad()
def assess(
    net: PlacedNetwork, task: Task, *, connection_cost: Tensor | None = None, progress: bool = False
) -> xr.Dataset:
    """Measure every network on its training examples and on the held-out ones.

    Parameters
    ----------
    net : PlacedNetwork
        Feed-forward.
    task : Task
        With a fixed set of examples.
    connection_cost : (member,), optional
        The network's connection cost, kept in the result; NaN if not given.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Dataset
        Over member: ``train_loss``, ``test_loss``, ``train_accuracy`` and ``test_accuracy`` (NaN
        in a regression), ``modularity`` (:func:`newman_modularity`), ``connection_cost``,
        ``live`` (fraction of connections that are live) and ``active`` (hidden neurons on a live
        path from an input to an output).

    Raises
    ------
    InputError
        If a loss is not finite.

    Examples
    --------
    >>> import brainrnn as br
    >>> from tasks import formulas
    >>> task = formulas(["independence"])
    >>> net = br.MLP.on_lines(task.n_inputs, task.n_outputs, br.MLPSpec(hidden=(4,)))
    >>> int(assess(net, task).active[0]) <= 4
    True
    """
    rng = np.random.default_rng(0)  # the examples are fixed: nothing is drawn
    columns: dict[str, Tensor] = {}
    for part, batch in (("train", task.sample(None, rng)), ("test", task.held_out(1, rng))):
        assert isinstance(batch, Examples)
        batch = batch.to(next(net.parameters()).device)
        outputs = answer(net, batch)
        columns[f"{part}_loss"] = loss = task.loss(outputs, batch)
        if not bool(loss.isfinite().all()):
            raise InputError(
                f"the {part} loss is not finite, so that the network cannot be assessed: train "
                "again with a lower training.learning_rate, or from smaller weights"
            )
        columns[f"{part}_accuracy"] = task.score(outputs, batch).flatten(1).mean(1)
    live = live_connections(net)
    columns["live"] = torch.cat([x.flatten(1) for x in live.values()], dim=1).double().mean(1)
    columns["active"] = count_active(net)
    unknown = torch.full((net.members,), math.nan)
    columns["connection_cost"] = unknown if connection_cost is None else connection_cost
    variables = {
        name: ("member", np.asarray(torch.as_tensor(value).cpu()))
        for name, value in columns.items()
    }
    modularity = newman_modularity(net, progress=progress)
    return xr.Dataset({**variables, "modularity": modularity}, attrs={"title": TITLE})


def count_active(net: Placed) -> Int[Tensor, " member"]:
    """Hidden neurons on a live path from an input to an output, at any stage.

    Raises
    ------
    InputError
        If the network is not feed-forward.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,)))
    >>> net.fc0.weight.data[:, 0] = 0  # nothing reaches the first hidden neuron
    >>> count_active(net).tolist()
    [3]
    """
    active = active_neurons(net)
    by_population: dict[str, Tensor] = {}
    for stage in stages(net)[1:-1]:
        before = by_population.get(stage.population, torch.zeros_like(active[stage.name]))
        by_population[stage.population] = before | active[stage.name]
    none = torch.zeros(net.members, dtype=torch.int64)
    return sum((neurons.sum(1) for neurons in by_population.values()), none)


def feedforward_table(result: xr.Dataset) -> str:
    """Plain text, a row per network; what is NaN throughout is left out.

    Parameters
    ----------
    result : Dataset
        As from :func:`assess`.

    Returns
    -------
    str

    Examples
    --------
    >>> print(feedforward_table(xr.Dataset({"test_loss": ("member", [0.012345])})))
     member test_loss
          0    0.0123
    """
    table = result.to_dataframe().dropna(axis=1, how="all")
    forms = {
        "loss": "{:.3g}".format,
        "accuracy": "{:.3f}".format,
        "cost": "{:.4g}".format,
        "live": "{:.3f}".format,
        "modularity": "{:.3f}".format,
    }
    names = [str(name) for name in table]
    formatters = {name: form for name in names for end, form in forms.items() if name.endswith(end)}
    return table.reset_index().to_string(index=False, formatters=formatters)


def feedforward_json(result: xr.Dataset) -> dict[str, Any]:
    """Means over networks, and ``members``, an object of the same keys for each; None for NaN.

    Parameters
    ----------
    result : Dataset
        As from :func:`assess`.

    Returns
    -------
    dict

    Examples
    --------
    >>> feedforward_json(xr.Dataset({"test_loss": ("member", [1.0, 2.0])}))
    {'test_loss': 1.5, 'members': [{'test_loss': 1.0}, {'test_loss': 2.0}]}
    """

    def plain(row: pd.Series) -> dict[str, float | None]:
        return {str(k): float(v) if math.isfinite(v) else None for k, v in row.items()}

    table = result.to_dataframe()
    return plain(table.mean()) | {"members": [plain(row) for _, row in table.iterrows()]}
