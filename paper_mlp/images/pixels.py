"""Networks whose inputs are the pixels of an image, and their first layer as images."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap

from brainrnn.anatomy.geometry import grid
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import NEGATIVE, POSITIVE
from tasks.fixed import FixedTask

SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "white", POSITIVE])


def image_shape(net: MLP) -> tuple[int, int]:
    """Rows and columns of the image whose pixels are a network's inputs.

    Raises
    ------
    InputError
        If its inputs do not lie on the grid of an image.
    """
    sites = net.anatomy.populations["input"].sites
    if sites.shape[1] == 2:
        rows, columns = (len(sites[:, axis].unique()) for axis in (0, 1))
        if rows * columns == len(sites) and torch.allclose(sites, grid(rows, columns)):
            return rows, columns
    raise InputError(
        "the network's inputs are not the pixels of an image: train it with network.layout 'planes'"
    )


def check_image(net: MLP, task: FixedTask) -> None:
    """See that a network's inputs are the pixels of a task's images.

    Raises
    ------
    InputError
        If not.
    """
    shape = image_shape(net)
    if task.image != shape:
        shown = (
            "no images" if task.image is None else "images of {} x {} pixels".format(*task.image)
        )
        raise InputError(
            f"the network looks at images of {shape[0]} x {shape[1]} pixels, but task "
            f"{task.name!r} has {shown}: give the task that it was trained on"
        )


def first_hidden(net: MLP) -> str:
    """The population that the pixels lead to."""
    return list(net.anatomy.populations)[1]


def first_layer(net: MLP) -> np.ndarray:
    """Weights of the first layer as images, (member, neuron, row, column) float64.

    Neurons and pixels stand in the order of the parameter, which swaps do not change.

    Raises
    ------
    InputError
        If the inputs are not the pixels of an image.
    """
    weight = net.get_parameter("fc0.weight").detach().double().cpu().numpy()
    return weight.reshape(*weight.shape[:2], *image_shape(net))
