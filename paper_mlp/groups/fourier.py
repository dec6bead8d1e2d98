"""Whether every module is a ring of tokens at one Fourier frequency.

"Seeing Is Believing", Section 3.3 and Fig. 5.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Bool

from brainrnn import MLP
from brainrnn.analysis.feedforward.fourier import ring_spectra
from paper_mlp.groups.modules import embedding_modules
from tasks.fixed import FixedTask

SHARE = 0.75  # between one frequency, 1, and two equally strong, 1/2
ROUNDNESS = 0.5  # between a circle, 1, and a line, 0


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
        Over (member, module), as :func:`brainrnn.analysis.feedforward.ring_spectra` of the modules
        that :func:`paper_mlp.groups.modules.embedding_modules` finds.

    Raises
    ------
    InputError
        If the network's inputs are no tokens.
    """
    modules = embedding_modules(net, threshold=threshold)
    embedding = net.embedding.detach().double().cpu().numpy()
    return ring_spectra(embedding, modules).rename(group="module")


def one_frequency_each(net: MLP, task: FixedTask | None) -> Bool[np.ndarray, " member"]:
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
