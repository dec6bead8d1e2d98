"""Excitation and inhibition: live weights by their sign, layer by layer."""

from __future__ import annotations

import pandas as pd
import torch

from brainrnn.analysis.graph.live import live_connections
from brainrnn.anatomy.placed import Placed


@torch.no_grad()
def sign_table(net: Placed, *, threshold: float = 0.05) -> pd.DataFrame:
    """Count and add up the live positive and negative weights of every layer.

    Parameters
    ----------
    net : Placed
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    DataFrame
        A row per ``member`` and ``layer`` (from 1, in the order of the wiring), with ``positive``
        and ``negative``, the numbers of live weights, and ``positive_sum`` and ``negative_sum``,
        the sums of their magnitudes.

    Raises
    ------
    InputError
        If the threshold is out of range.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(2, 1, br.MLPSpec(hidden=()))
    >>> net.wired("fc0.weight").data[0] = torch.tensor([[0.5, -2.0]])
    >>> sign_table(net).to_dict("records")[0]["negative_sum"]
    2.0
    """
    parts = []
    for layer, (name, live) in enumerate(
        live_connections(net, threshold=threshold).items(), start=1
    ):
        weight = net.wired(name).double() * live
        parts.append(
            pd.DataFrame(
                {
                    "member": range(net.members),
                    "layer": layer,
                    "positive": (weight > 0).sum((1, 2)).cpu().numpy(),
                    "negative": (weight < 0).sum((1, 2)).cpu().numpy(),
                    "positive_sum": weight.clamp(min=0).sum((1, 2)).cpu().numpy(),
                    "negative_sum": (-weight).clamp(min=0).sum((1, 2)).cpu().numpy(),
                }
            )
        )
    return pd.concat(parts).sort_values(["member", "layer"], ignore_index=True)
