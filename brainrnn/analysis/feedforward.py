"""A feed-forward network in numbers: what it gets right, what it pays, how modular it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from brainrnn.analysis.graph import active_neurons, live_connections, newman_modularity
from brainrnn.networks import MLP
from brainrnn.task import Examples, Task

TITLE = "brainrnn feed-forward analysis"


@torch.no_grad()
def assess(net: MLP, task: Task, *, connection_cost: Tensor | None = None) -> xr.Dataset:
    """Measure every network on its training examples and on the held-out ones.

    Parameters
    ----------
    net : MLP
    task : Task
        With a fixed set of examples.
    connection_cost : (member,), optional
        The network's connection cost, kept in the result; NaN if not given.

    Returns
    -------
    Dataset
        Over member: ``train_loss``, ``test_loss``, ``train_accuracy`` and ``test_accuracy`` (NaN
        in a regression), ``modularity`` (:func:`newman_modularity`), ``connection_cost``,
        ``live`` (fraction of connections that are live) and ``active`` (hidden neurons on a live
        path from an input to an output).
    """
    rng = np.random.default_rng(0)  # the examples are fixed: nothing is drawn
    columns: dict[str, Tensor] = {}
    for part, batch in (("train", task.sample(None, rng)), ("test", task.held_out(1, rng))):
        assert isinstance(batch, Examples)
        outputs = net.respond(batch)
        columns[f"{part}_loss"] = task.loss(outputs, batch)
        columns[f"{part}_accuracy"] = task.score(outputs, batch).mean(1)
    live = live_connections(net)
    _, *hidden, _ = active_neurons(net).values()
    columns["live"] = torch.cat([x.flatten(1) for x in live.values()], dim=1).double().mean(1)
    columns["active"] = sum((x.sum(1) for x in hidden), torch.zeros(net.members, dtype=torch.int64))
    unknown = torch.full((net.members,), math.nan)
    columns["connection_cost"] = unknown if connection_cost is None else connection_cost
    variables = {
        name: ("member", np.asarray(torch.as_tensor(value).cpu()))
        for name, value in columns.items()
    }
    return xr.Dataset({**variables, "modularity": newman_modularity(net)}, attrs={"title": TITLE})


def feedforward_table(result: xr.Dataset) -> str:
    """Plain text, a row per network; what is NaN throughout is left out."""
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
    """Means over networks, and ``members``, an object of the same keys for each; None for NaN."""

    def plain(row: pd.Series) -> dict[str, float | None]:
        return {str(k): float(v) if math.isfinite(v) else None for k, v in row.items()}

    table = result.to_dataframe()
    return plain(table.mean()) | {"members": [plain(row) for _, row in table.iterrows()]}
