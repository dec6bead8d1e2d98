"""Which Fourier frequencies embeddings of tokens hold, and whether the tokens lie on a ring.

A neuron whose value is cos(2 pi k t/p + phase) for token t of p holds one frequency, k. Two such
neurons of different phase put the tokens on a ring. ("Seeing Is Believing", Section 3.3, Fig. 5.)
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

_ROUNDING = 1e-20  # share of the mean square below which a variance is one of rounding


def fourier_power(embedding: Float[np.ndarray, "member token neuron"]) -> xr.DataArray:
    r"""Power of every neuron's embedding by frequency, over tokens.

    .. math:: P_k = \frac{c_k}{p^2} \left| \sum_t e_t \exp(-2 \pi i k t/p) \right|^2

    with c = 2, or 1 at k = p/2, so that the sum over k is the variance of the neuron's embedding
    over tokens. The mean, k = 0, is left out.

    Parameters
    ----------
    embedding : (member, token, neuron) array
        The value of every neuron for every token.

    Returns
    -------
    (member, neuron, frequency) float64
        Frequency in cycles per round of p tokens, 1 to p // 2.

    Examples
    --------
    >>> wave = 3 * np.cos(2 * np.pi * 4 * np.arange(10) / 10)  # of variance 9 / 2
    >>> power = fourier_power(wave[None, :, None])
    >>> power.idxmax("frequency").item(), round(power.max().item(), 6)
    (4.0, 4.5)
    """
    power = 2 * abs(_coefficients(embedding)) ** 2
    if embedding.shape[1] and embedding.shape[1] % 2 == 0:
        power[{"frequency": -1}] /= 2
    return power


def ring_spectra(
    embedding: Float[np.ndarray, "member token neuron"], groups: Int[np.ndarray, "member neuron"]
) -> xr.Dataset:
    """Which frequency every group of neurons holds, how purely, and how round its ring is.

    Parameters
    ----------
    embedding : (member, token, neuron) array
        The value of every neuron for every token.
    groups : (member, neuron) int
        The group of every neuron, from 0; -1 for neurons of none.

    Returns
    -------
    Dataset
        Over (member, group), as many groups as the network with most of them has. ``neurons``: how
        many the group has, 0 where a network has fewer groups. ``frequency``: the one with the
        largest power, summed over the group's neurons. ``share``: of all the group's power.
        ``roundness``: shortest over longest radius of the ellipse that the tokens form at this
        frequency, 0 for a single neuron. The last three are NaN where there is no group or its
        neurons are constant.

    Examples
    --------
    >>> angle = 2 * np.pi * 3 * np.arange(11) / 11
    >>> embedding = np.stack([np.cos(angle), 0.5 * np.sin(angle)], axis=1)[None]
    >>> spectra = ring_spectra(embedding, np.zeros((1, 2), dtype=int))
    >>> spectra.frequency.item(), round(spectra.share.item(), 6), round(spectra.roundness.item(), 6)
    (3.0, 1.0, 0.5)
    """
    belongs = xr.DataArray(
        groups[..., None] == np.arange(groups.max() + 1), dims=("member", "neuron", "group")
    )
    power = (fourier_power(embedding) * belongs).sum("neuron")  # (member, frequency, group)
    total = power.sum("frequency")
    square = xr.DataArray((embedding.astype(float) ** 2).mean(1), dims=("member", "neuron"))
    varies = total > _ROUNDING * (square * belongs).sum("neuron")
    frequency = power.idxmax("frequency")
    ring = (_coefficients(embedding).sel(frequency=frequency) * belongs).transpose(..., "neuron")
    # Token t sits at Re(c exp(i k t)), an ellipse whose radii are the singular values of (Re, Im).
    axes = np.stack([ring.real, ring.imag], axis=-2)
    squares = np.linalg.eigvalsh(axes @ axes.swapaxes(-1, -2)).clip(0)
    shortest, longest = xr.DataArray(np.sqrt(squares), dims=(*ring.dims[:-1], "radius")).transpose(
        "radius", ...
    )
    return xr.Dataset(
        {
            "neurons": belongs.sum("neuron"),
            "frequency": frequency.where(varies),
            "share": (power.max("frequency") / total).where(varies),
            "roundness": (shortest / longest).where(varies),
        }
    )


def _coefficients(embedding: Float[np.ndarray, "member token neuron"]) -> xr.DataArray:
    """Complex Fourier coefficients of an embedding, (member, neuron, frequency)."""
    coefficients = np.fft.rfft(embedding.astype(float), axis=1, norm="forward")[:, 1:]
    return xr.DataArray(
        coefficients.swapaxes(1, 2),
        dims=("member", "neuron", "frequency"),
        coords={"frequency": np.arange(1, coefficients.shape[1] + 1)},
    )
