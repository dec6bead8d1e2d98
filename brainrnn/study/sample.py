"""Points of a sweep that are drawn from distributions, instead of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field
from scipy.stats import qmc

from brainrnn.config import Count, Seed, Settings
from brainrnn.streams import Stream, generator
from brainrnn.study.distributions import Distribution
from brainrnn.study.values import POINT, Setting

Sampler = Literal["random", "sobol", "tpe"]
_ENOUGH = 100_000


class Sample(Settings):
    """Values of some keys, drawn together: a point for each draw.

    Examples
    --------
    >>> space = {"method.strength": "loguniform(1e-5, 1e-3)", "training.batch": "choice(32, 64)"}
    >>> sample = Sample(sampler="sobol", points=4, space=space)
    >>> sample.settings()[0]
    {'point': 0, 'method.strength': 0.000275151, 'training.batch': 32}
    """

    sampler: Sampler = Field(
        description="random: independent draws; sobol: a scrambled Sobol sequence, which fills the "
        "space evenly (best with 2, 4, 8, ... points); tpe: Optuna's search for the goals of the "
        "measure, a tree-structured Parzen estimator"
    )
    points: int = Field(ge=1, le=_ENOUGH, description="how many to draw")
    space: dict[str, Annotated[str, AfterValidator(lambda s: str(Distribution.parse(s)))]] = Field(
        min_length=1,
        description="the distribution of each key: uniform(0, 4), loguniform(1e-5, 1e-3), "
        "integers(8, 64) or choice(32, 64)",
    )
    seed: Seed = Field(0, description="of the draws")
    at_once: Count = Field(
        4,
        description="of tpe: points that are chosen together, before any of them is known; their "
        "networks are trained at the same time",
    )

    @property
    def searches(self) -> bool:
        """Whether points depend on what those before have shown."""
        return self.sampler == "tpe"

    @cached_property
    def distributions(self) -> Mapping[str, Distribution]:
        """The distribution of each key."""
        return {key: Distribution.parse(text) for key, text in self.space.items()}

    def settings(self) -> list[dict[str, Any]]:
        """All points, of a sample that does not search."""
        size = len(self.space)
        rng = generator(self.seed, Stream.POINTS)
        if self.sampler == "random":
            shares = rng.random((self.points, size))
        else:
            exponent = int(np.ceil(np.log2(self.points)))  # SciPy draws powers of two evenly
            shares = qmc.Sobol(size, rng=rng).random_base2(exponent)[: self.points]
        distributions = self.distributions.items()
        return [
            {POINT: i}
            | {key: each.at(share) for (key, each), share in zip(distributions, row, strict=True)}
            for i, row in enumerate(shares.tolist())
        ]

    def ends(self) -> list[Setting]:
        """Points that have the least, the greatest or any possible choice of each key."""
        first = {key: each.ends[0] for key, each in self.distributions.items()}
        settings = [
            first | {key: value} for key, each in self.distributions.items() for value in each.ends
        ]
        return [{POINT: i} | setting for i, setting in enumerate(settings)]
