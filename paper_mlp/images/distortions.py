"""Distortions of images: shifts, scalings, and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from brainrnn.errors import InputError

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
        Those that are looked at, among them the one that changes nothing.
    apply : function
        Of images (example, row, column) and an amount, to their variants, (variant, example, row,
        column).
    """

    label: str
    amounts: tuple[float, ...]
    apply: Callable[[Tensor, float], Tensor]


def shifted(images: Tensor, amount: float) -> Tensor:
    """Shift images by whole pixels along rows, columns, or both, in all 8 directions.

    In a diagonal direction, both shifts are of that amount. What leaves the image is lost, and
    zeros come in.

    Parameters
    ----------
    images : (example, row, column)
    amount : float
        A whole number of pixels, less than a side of the image.

    Returns
    -------
    (direction, example, row, column)
        A single variant where the amount is 0.

    Raises
    ------
    InputError
        If the amount is not such a number.
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


def scaled(images: Tensor, amount: float) -> Tensor:
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
    """
    if not 0 < amount < np.inf:
        raise InputError(f"images are scaled by a factor above 0, got {amount!r}")
    matrix = torch.eye(2, 3, dtype=images.dtype, device=images.device) / amount
    size = [len(images), 1, *images.shape[1:]]
    grid = functional.affine_grid(matrix.expand(len(images), 2, 3), size, align_corners=False)
    return functional.grid_sample(images[:, None], grid, align_corners=False).transpose(0, 1)


def noisy(images: Tensor, amount: float) -> Tensor:
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
