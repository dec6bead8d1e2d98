"""Distortions of images (shifts, scalings, noise), and how well networks classify what is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.errors import InputError, unknown
from brainrnn.task import Examples
from brainrnn.training.loop import answer

_DIRECTIONS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
_NOISE_SEED = 0


@dataclass(frozen=True)
class Distortion:
    """A way to distort images by some amount.

    Attributes
    ----------
    label : str
        What the amount is, with its unit.
    amounts : tuple of float
        Those that are looked at by default. One of them changes nothing.
    apply : function
        From images, (example, row, column), and an amount to their variants, (variant, example,
        row, column).

    Examples
    --------
    >>> dim = Distortion("dimmed by", (0, 0.5), lambda images, amount: (1 - amount) * images[None])
    >>> dim.apply(torch.ones(1, 2, 2), 0.5).sum().item()
    2.0
    """

    label: str
    amounts: tuple[int | float, ...]
    apply: Callable[[Tensor, int | float], Tensor]


def shifted(
    images: Float[Tensor, "example row column"], amount: int | float
) -> Float[Tensor, "direction example row column"]:
    """Shift images by whole pixels in all 8 directions.

    In a diagonal direction, the image is shifted by that amount along rows and along columns. What
    leaves the image is lost, and zeros come in.

    Parameters
    ----------
    images : (example, row, column)
    amount : int
        A whole number of pixels, less than a side of the image.

    Returns
    -------
    (direction, example, row, column)
        A single variant where the amount is 0.

    Raises
    ------
    InputError
        If the amount is not such a number.

    Examples
    --------
    >>> image = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> len(shifted(image, 1)), shifted(image, 1)[-1, 0].tolist()  # down and to the right
    (8, [[0.0, 0.0], [0.0, 1.0]])
    """
    if not 0 <= amount < min(images.shape[1:]) or amount != int(amount):
        raise InputError(
            f"images of {images.shape[1]} x {images.shape[2]} pixels are shifted by a whole number "
            f"of pixels from 0 to {min(images.shape[1:]) - 1}, got {amount!r}"
        )
    if amount == 0:
        return images[None]
    steps = [(int(amount) * y, int(amount) * x) for y, x in _DIRECTIONS]
    return torch.stack([functional.pad(images, (x, -x, y, -y)) for y, x in steps])


def scaled(
    images: Float[Tensor, "example row column"], amount: int | float
) -> Float[Tensor, "1 example row column"]:
    """Scale images about their centre, with bilinear interpolation; outside of them is zero.

    Parameters
    ----------
    images : (example, row, column)
    amount : float
        Above 0; above 1 enlarges.

    Returns
    -------
    (1, example, row, column)

    Raises
    ------
    InputError
        If the factor is not above 0.

    Examples
    --------
    >>> scaled(torch.ones(1, 8, 8), 0.5).sum().item()  # a quarter of the area
    16.0
    """
    if not 0 < amount < np.inf:
        raise InputError(f"images are scaled by a factor above 0, got {amount!r}")
    matrix = torch.eye(2, 3, dtype=images.dtype, device=images.device) / amount
    size = [len(images), 1, *images.shape[1:]]
    grid = functional.affine_grid(matrix.expand(len(images), 2, 3), size, align_corners=False)
    return functional.grid_sample(images[:, None], grid, align_corners=False).transpose(0, 1)


def noisy(
    images: Float[Tensor, "example row column"], amount: int | float
) -> Float[Tensor, "1 example row column"]:
    """Add Gaussian noise to every pixel and clip the result to 0..1.

    The noise is always the same draw, so that amounts and networks are compared on the same images.

    Parameters
    ----------
    images : (example, row, column)
    amount : float
        Standard deviation of the noise, at least 0.

    Returns
    -------
    (1, example, row, column)

    Raises
    ------
    InputError
        If the standard deviation is negative.

    Examples
    --------
    >>> grey = torch.full((1, 8, 8), 0.5)
    >>> bool((noisy(grey, 0.2) == noisy(grey, 0.2)).all())
    True
    """
    if not 0 <= amount < np.inf:
        raise InputError(f"noise has a standard deviation of 0 or more, got {amount!r}")
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    noise = torch.randn(images.shape, generator=generator, dtype=images.dtype)
    return (images + amount * noise.to(images.device)).clamp(0, 1)[None]


DISTORTIONS = {
    "shift": Distortion("shift (pixels)", (0, 1, 2, 3, 4), shifted),
    "scale": Distortion("scale", (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4), scaled),
    "noise": Distortion("noise (sd)", (0, 0.1, 0.2, 0.3, 0.4, 0.5), noisy),
}


@torch.no_grad()
def distorted_accuracy(
    net: PlacedNetwork,
    score: Callable[[Tensor, Examples], Tensor],
    examples: Examples,
    image: tuple[int, int],
    *,
    amounts: Mapping[str, Sequence[int | float]] | None = None,
) -> pd.DataFrame:
    """Accuracy of every network on distorted images.

    Parameters
    ----------
    net : PlacedNetwork
        Of images.
    score : function
        From outputs, (member, example, output), and examples to whether each is right, (member,
        example): a task's ``score``.
    examples : Examples
        With inputs (example, pixel), row after row, and classes.
    image : (int, int)
        Rows and columns.
    amounts : mapping of str to sequence of float, optional
        Which of ``DISTORTIONS``, and how much of each; by default, all with their own amounts.

    Returns
    -------
    DataFrame
        A row per ``distortion``, ``amount`` (pixels, factor, or standard deviation of grey values)
        and ``member``, with the ``accuracy``, 0 to 1, the mean over the directions of a shift.

    Raises
    ------
    InputError
        If a distortion is unknown or impossible.

    Examples
    --------
    >>> import brainrnn as br
    >>> from brainrnn.task import Examples
    >>> net = br.MLP.on_planes((4, 4), 3, br.MLPSpec(hidden=(4,)))
    >>> images = Examples(torch.rand(20, 16), torch.zeros(20, dtype=torch.int64))
    >>> def right(outputs, batch):
    ...     return outputs.argmax(2) == batch.targets
    >>> table = distorted_accuracy(net, right, images, (4, 4), amounts={"noise": [0.0, 0.5]})
    >>> list(table), len(table)
    (['distortion', 'amount', 'member', 'accuracy'], 2)
    """
    chosen = {n: d.amounts for n, d in DISTORTIONS.items()} if amounts is None else amounts
    for name in chosen:
        if name not in DISTORTIONS:
            raise InputError(unknown("distortion", name, DISTORTIONS))
    pictures, parts = examples.inputs.unflatten(1, image), []
    for name, many in chosen.items():
        for amount in many:
            distorted = DISTORTIONS[name].apply(pictures, amount).flatten(2)
            batch = Examples(distorted.flatten(0, 1), examples.targets.repeat(len(distorted)))
            columns = {
                "distortion": name,
                "amount": float(amount),
                "member": range(net.members),
                "accuracy": score(answer(net, batch), batch).double().mean(1).cpu().numpy(),
            }
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
