"""Which pixels of an image a network looks at, and how its field shrinks in training.

"Seeing Is Believing", Section 3.5 and Fig. 8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int

from brainrnn.analysis.graph.live import live_connections
from brainrnn.analysis.graph.stages import stages
from brainrnn.anatomy.geometry import grid
from brainrnn.anatomy.placed import Placed
from brainrnn.errors import InputError


def image_shape(net: Placed) -> tuple[int, int]:
    """Rows and columns of the image whose pixels are a network's inputs.

    Raises
    ------
    InputError
        If its inputs do not lie on the grid of an image (:func:`brainrnn.grid`), row after row.

    Examples
    --------
    >>> import brainrnn as br
    >>> image_shape(br.MLP.on_planes((4, 3), 10, br.MLPSpec(hidden=(9,))))
    (4, 3)
    """
    first = stages(net)[0].population
    sites = net.anatomy.populations[first].sites
    written = any(a[0].population == first for a in net.anatomy.wiring.values() if len(a) == 2)
    if sites.shape[1] == 2 and not written:  # what is written to is no input
        rows, columns = (len(sites[:, axis].unique()) for axis in (0, 1))
        if rows * columns == len(sites) and torch.allclose(sites, grid(rows, columns)):
            return rows, columns
    raise InputError(
        "the network's inputs are not the pixels of an image: train it with network.layout 'planes'"
    )


def receptive_fields(net: Placed) -> Float[np.ndarray, "member neuron row column"]:
    """Weights from the pixels to every neuron of the first layer, as images.

    Neurons and pixels stand in the order of the parameter, which swaps do not change.

    Returns
    -------
    (member, neuron, row, column) float64

    Raises
    ------
    InputError
        If the inputs are not the pixels of an image.

    Examples
    --------
    >>> import brainrnn as br
    >>> receptive_fields(br.MLP.on_planes((4, 3), 10, br.MLPSpec(hidden=(9,)))).shape
    (1, 9, 4, 3)
    """
    shape = image_shape(net)
    weight = net.wired(str(stages(net)[1].parameter)).detach().double().cpu().numpy()
    return weight.reshape(*weight.shape[:2], *shape)


def pixel_strength(net: Placed) -> Float[np.ndarray, "member row column"]:
    """Sum of |weights| that leave every pixel, (member, row, column).

    Raises
    ------
    InputError
        If the network's inputs are not the pixels of an image.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_planes((4, 3), 10, br.MLPSpec(hidden=(9,)))
    >>> bool(np.allclose(pixel_strength(net), abs(receptive_fields(net)).sum(1)))
    True
    """
    shape = image_shape(net)
    size = net.wired(str(stages(net)[1].parameter)).detach().abs().sum(1)
    return size.double().cpu().numpy().reshape(-1, *shape)


def live_pixels(net: Placed, *, threshold: float = 0.05) -> Bool[np.ndarray, "member row column"]:
    """Pixels that a live connection leaves, (member, row, column) bool: the receptive field.

    Parameters
    ----------
    net : Placed
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Raises
    ------
    InputError
        If the network's inputs are not the pixels of an image.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_planes((4, 3), 10, br.MLPSpec(hidden=(9,)))
    >>> bool(live_pixels(net).all())  # before training, all of them
    True
    """
    shape = image_shape(net)
    live = live_connections(net, threshold=threshold)[str(stages(net)[1].parameter)]
    return live.any(1).cpu().numpy().reshape(-1, *shape)


def border_distance(shape: tuple[int, int]) -> Int[np.ndarray, "row column"]:
    """Pixels between each pixel of an image and its border, (row, column): 0 at the border.

    Examples
    --------
    >>> border_distance((3, 4)).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    row, column = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in shape)
    return np.minimum(row[:, None], column)


def receptive_table(moments: Sequence[tuple[int, Placed]]) -> pd.DataFrame:
    """Count the live pixels of every network in training, by their distance from the border.

    Parameters
    ----------
    moments : sequence of (step, network)
        Snapshots of a training.

    Returns
    -------
    DataFrame
        A row per ``step``, ``member`` and ``distance`` (:func:`border_distance`), with the number
        of ``pixels`` there and how many of them are ``live``. The sum of ``live`` over distances is
        the size of the receptive field.

    Raises
    ------
    InputError
        If there is no moment, or the inputs of a network are not the pixels of an image.

    Examples
    --------
    >>> import brainrnn as br
    >>> net = br.MLP.on_planes((4, 4), 10, br.MLPSpec(hidden=(9,)))
    >>> receptive_table([(0, net)])[["distance", "pixels", "live"]].values.tolist()
    [[0, 12, 12], [1, 4, 4]]
    """
    if not moments:
        raise InputError("no moment to look at: give pairs of a training step and a network")
    parts = []
    for step, net in moments:
        ring = border_distance(image_shape(net)).ravel()
        belongs = ring[:, None] == np.arange(ring.max() + 1)  # (pixel, distance)
        live = live_pixels(net).reshape(net.members, -1) @ belongs.astype(int)
        member, distance = np.indices(live.shape).reshape(2, -1)
        parts.append(
            pd.DataFrame(
                {
                    "step": step,
                    "member": member,
                    "distance": distance,
                    "pixels": belongs.sum(0)[distance],
                    "live": live.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
