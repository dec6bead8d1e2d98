"""What neurons of a feed-forward network do, and which of them follow a quantity."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Num, Shaped
from torch import Tensor

from brainrnn.errors import InputError, unknown
from brainrnn.networks import MLP, Transformer


@torch.no_grad()
def stage_activity(
    net: MLP | Transformer, inputs: Shaped[Tensor, "example ..."], stage: str
) -> Float[np.ndarray, "member example ... neuron"]:
    """Activations of one stage of the computation.

    Parameters
    ----------
    net : MLP or Transformer
    inputs : (example, input), or (example, position, input)
        As the network takes them; the same for all members.
    stage : str
        See :func:`brainrnn.analysis.stages`; of a perceptron, a population.

    Returns
    -------
    (member, example, neuron) float64, of sequences (member, example, position, neuron)

    Raises
    ------
    InputError
        If there is no such stage.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_lines(4, 2, br.MLPSpec(hidden=(5, 3)), members=2)
    >>> stage_activity(net, torch.ones(8, 4), "h2").shape
    (2, 8, 3)
    """
    layers = net.layers(inputs)
    if stage not in layers:
        raise InputError(unknown("stage", stage, layers))
    return layers[stage].double().cpu().numpy()


def correlations(
    activity: Float[np.ndarray, "member example neuron"],
    quantities: Num[np.ndarray, "example quantity"],
) -> Float[np.ndarray, "member neuron quantity"]:
    """Pearson's correlation of every neuron with every quantity, over examples.

    Parameters
    ----------
    activity : (member, example, neuron) array
    quantities : (example, quantity) array

    Returns
    -------
    (member, neuron, quantity) float64
        -1 to 1; 0 for a neuron whose activation does not vary.

    Examples
    --------
    >>> quantity = np.arange(4.0)[:, None]
    >>> activity = np.stack([3 * quantity[:, 0], -quantity[:, 0], np.ones(4)], axis=1)
    >>> correlations(activity[None], quantity)[0, :, 0].round(6).tolist()
    [1.0, -1.0, 0.0]
    """
    activity = activity - activity.mean(1, keepdims=True)
    quantities = quantities - quantities.mean(0)
    size = np.linalg.norm(activity, axis=1)[:, :, None] * np.linalg.norm(quantities, axis=0)
    covariance = np.einsum("men,eq->mnq", activity, quantities)
    return np.divide(covariance, size, out=np.zeros_like(covariance), where=size > 0)
