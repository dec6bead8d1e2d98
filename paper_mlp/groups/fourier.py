"""Which Fourier frequencies the embedding holds: rings of tokens ("Seeing Is Believing", Fig. 5).

A neuron whose value is cos(2 pi k t/p + phase) for token t holds one frequency, k; two such neurons
of different phase put the tokens on a ring.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from brainrnn import MLP
from paper_mlp.groups.embedding import check_tokens
from paper_mlp.groups.modules import embedding_modules
from tasks.fixed import FixedTask

SHARE = 0.75  # between one frequency, 1, and two equally strong, 1/2
_ROUNDING = 1e-20  # share of the mean square below which a variance is one of rounding
ROUNDNESS = 0.5  # between a circle, 1, and a line, 0


def fourier_power(net: MLP) -> xr.DataArray:
    r"""Power of every input neuron's embedding by frequency, over tokens.

    .. math:: P_k = \frac{c_k}{p^2} \left| \sum_t e_t \exp(-2 \pi i k t/p) \right|^2

    with c = 2, or 1 at k = p/2, so that the sum over k is the variance of the neuron's embedding
    over tokens. The mean, k = 0, is left out.

    Parameters
    ----------
    net : MLP
        Of tokens.

    Returns
    -------
    (member, neuron, frequency) float64
        Frequency in cycles per round of p tokens, 1 to p // 2.

    Raises
    ------
    InputError
        If the network's inputs are no tokens.
    """
    coefficients = _coefficients(net)
    power = 2 * abs(coefficients) ** 2
    if net.tokens and net.tokens % 2 == 0:
        power[{"frequency": -1}] /= 2
    return power


def module_spectra(net: MLP, *, threshold: float = 0.05) -> xr.Dataset:
    """What frequency every module holds, how purely, and whether its tokens lie on a ring.

    Parameters
    ----------
    net : MLP
        Of tokens.
    threshold : float
        See :func:`brainrnn.analysis.live_connections`.

    Returns
    -------
    Dataset
        Over (member, module), as many modules as the network with most of them has. ``neurons``:
        how many it has, 0 where a network has fewer modules. ``frequency``: the one with the
        largest power, summed over the module's neurons. ``share``: of all the module's power.
        ``roundness``: shortest over longest radius of the ellipse that the tokens form at this
        frequency, 0 for a single neuron. The last three are NaN where there is no module or its
        neurons are constant.

    Raises
    ------
    InputError
        If the network's inputs are no tokens.
    """
    modules = embedding_modules(net, threshold=threshold)
    belongs = xr.DataArray(
        modules[..., None] == np.arange(modules.max() + 1), dims=("member", "neuron", "module")
    )
    power = (fourier_power(net) * belongs).sum("neuron")  # (member, frequency, module)
    total = power.sum("frequency")
    square = xr.DataArray(
        (net.embedding.detach().double().cpu() ** 2).mean(1), dims=("member", "neuron")
    )
    varies = total > _ROUNDING * (square * belongs).sum("neuron")
    frequency = power.idxmax("frequency")
    ring = (_coefficients(net).sel(frequency=frequency) * belongs).transpose(..., "neuron")
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


def one_frequency_each(net: MLP, task: FixedTask) -> np.ndarray:
    """Whether every module is a ring of tokens at one Fourier frequency, (member,) bool.

    Every module must have two neurons or more, 75 % of its power in one frequency, and a shortest
    radius of half the longest. The paper's module C, a bow tie in three dimensions, passes: it is a
    ring with 15 % of the power in its third harmonic, which bends it out of its plane. False for a
    network without active neurons.
    """
    spectra = module_spectra(net)
    ring = (spectra.share > SHARE) & (spectra.roundness > ROUNDNESS)  # 0 for a single neuron
    exists = spectra.neurons > 0
    return ((ring | ~exists).all("module") & exists.any("module")).values


def _coefficients(net: MLP) -> xr.DataArray:
    """Complex Fourier coefficients of the embedding, (member, neuron, frequency)."""
    check_tokens(net)
    embedding = net.embedding.detach().double().cpu().numpy()
    coefficients = np.fft.rfft(embedding, axis=1, norm="forward")[:, 1:].swapaxes(1, 2)
    return xr.DataArray(
        coefficients,
        dims=("member", "neuron", "frequency"),
        coords={"frequency": np.arange(1, coefficients.shape[2] + 1)},
    )
