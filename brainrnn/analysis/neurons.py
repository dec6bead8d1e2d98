"""The active neurons of one network, as statistics of its map, wiring and graph see them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int
from scipy.spatial.distance import pdist, squareform
from torch import Tensor

from brainrnn.analysis.activity.variance import normalise
from brainrnn.analysis.graph.mixing import strength
from brainrnn.analysis.parts import require
from brainrnn.analysis.space.isolated import neighbours, site_spacing
from brainrnn.analysis.space.mantel import similarity


class Neurons:
    """Some neurons of one network; what is not known of them is one clear error.

    Parameters
    ----------
    brain : Dataset
        As from :func:`brainrnn.analyse` or :func:`brainrnn.analyse_recorded`, of one network
        (without the member axis).
    chosen : (unit,) bool
        Which neurons.

    Examples
    --------
    >>> import brainrnn as br
    >>> spec = br.AnalysisSpec(permutations=10)
    >>> area = np.repeat([0, 1], 8)
    >>> brain = br.analyse_recorded(positions=br.grid(4, 4), modules=area, spec=spec)
    >>> Neurons(brain.isel(member=0), np.arange(16) < 4).place.shape
    (4, 2)
    """

    def __init__(self, brain: xr.Dataset, chosen: Bool[np.ndarray, " unit"]) -> None:
        self.brain = brain
        self.chosen = chosen
        self.community = np.zeros(0, int)  # in the graph of connections, where that was looked at

    def _of_each(self, variable: str, *dims: str) -> np.ndarray:
        require(self.brain, "this statistic", variable)
        return self.brain[variable].transpose(*dims).values

    @cached_property
    def sites(self) -> Float[np.ndarray, "site space"]:
        """Places of all neurons of the network, also of those not chosen."""
        return self._of_each("position", "unit", "space")

    @cached_property
    def place(self) -> Float[np.ndarray, "unit space"]:
        """Where each neuron sits, in units of the sites' spacing."""
        return self.sites[self.chosen] / site_spacing(self.sites)

    @cached_property
    def neighbours(self) -> Int[Tensor, "unit slot"]:
        """Neighbours of each neuron, padded with -1 (:func:`brainrnn.analysis.neighbours`)."""
        kind = self.brain.attrs["neighbourhood"]
        return neighbours(self.sites[self.chosen], kind, sites=self.sites)

    @cached_property
    def distance(self) -> Float[np.ndarray, "unit unit"]:
        """Distance between any two neurons, in units of the sites' spacing."""
        return squareform(pdist(self.place))

    @cached_property
    def module(self) -> Int[np.ndarray, " unit"]:
        """Functional module of each neuron."""
        return self._of_each("module", "unit")[self.chosen]

    @cached_property
    def share(self) -> Float[np.ndarray, "unit task"]:
        """Normalised task variances, 0 to 1."""
        require(self.brain, "this statistic", "task_variance")
        return normalise(self.brain.task_variance).transpose("unit", "task").values[self.chosen]

    @cached_property
    def similarity(self) -> Float[np.ndarray, "unit unit"]:
        """Functional similarity of any two neurons (:func:`brainrnn.analysis.similarity`)."""
        return similarity(self.share)

    @cached_property
    def weight(self) -> Float[np.ndarray, "unit unit"]:
        """Weight of the connection onto each neuron from each other, in float64."""
        chosen = np.ix_(self.chosen, self.chosen)
        return self._of_each("weight", "unit", "source")[chosen].astype(float)

    @cached_property
    def strength(self) -> Float[np.ndarray, "unit unit"]:
        """Strength of the connection between any two neurons: |weight| in both directions."""
        return strength(self.weight)
