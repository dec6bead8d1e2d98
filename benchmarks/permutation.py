"""10,000 permutations of both map statistics against loops over permutations, and SciPy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import scipy.stats

import brainrnn as br
from benchmarks.timing import Comparison, Setting, compare
from brainrnn.analysis import cluster_size, fraction_isolated, neighbours

N = 10_000
MODULES = 12


def comparisons(setting: Setting) -> Iterator[Comparison]:
    for side in (20,) if setting.small else (20, 64):
        theirs = Theirs(side)
        statistics = {
            "isolated": fraction_isolated(neighbours(theirs.places, "8")),
            "cluster_size": cluster_size(theirs.places),
        }
        test = partial(br.permutation_test, statistics, n=N, seed=0, device=setting.device)
        assert np.allclose(test(theirs.labels, n=1).observed, theirs.observed())
        # Of how many permutations the others do, all that would take too long for.
        few = setting.either(20_000, 8_000) // side**2
        for name, work, permutations, least in (
            ("loops over neurons and modules", theirs.loops, few, (300, 60)),
            ("NumPy inside a loop", theirs.loop, 10 * few, (None, None)),
            ("scipy.stats.permutation_test", theirs.scipy, 10 * few, (20, 3)),
        ):
            yield compare(
                f"{side**2} neurons, {N:,} permutations, {name}",
                partial(test, theirs.labels),
                partial(work, permutations),
                rounds=setting.either(7, 3),
                part=permutations / N,
                least=least[setting.small],
                within=0.3 if side == 20 and not setting.small else None,
            )


class Theirs:
    """A map of random labels on a grid, and other ways to test it."""

    def __init__(self, side: int) -> None:
        self.places = br.grid(side, side).numpy()
        self.labels = np.random.default_rng(0).integers(0, MODULES, side**2)
        self.table = neighbours(self.places, "8").numpy()
        self.near = [[other for other in row if other >= 0] for row in self.table]
        self.unit, slot = np.nonzero(self.table >= 0)
        self.other = self.table[self.unit, slot]

    def observed(self) -> tuple[float, float]:
        return self.isolated(self.labels), self.size(self.labels)

    def loops(self, n: int) -> None:
        """As one would write it first, on arrays."""
        rng = np.random.default_rng(0)
        for _ in range(n):
            labels = rng.permutation(self.labels)
            isolated = 0
            for i, near in enumerate(self.near):
                if not any(labels[j] == labels[i] for j in near):
                    isolated += 1
            sizes = []
            for module in np.unique(labels):
                members = self.places[labels == module]
                centre = members.mean(axis=0)
                sizes.append(np.mean([np.linalg.norm(place - centre) for place in members]))
            _ = isolated / len(labels), np.mean(sizes)

    def loop(self, n: int) -> None:
        """As one would write it in NumPy, permutation by permutation."""
        rng = np.random.default_rng(0)
        for _ in range(n):
            labels = rng.permutation(self.labels)
            alike = self.unit[labels[self.unit] == labels[self.other]]
            _ = (np.bincount(alike, minlength=len(labels)) == 0).mean()
            sizes = []
            for module in np.unique(labels):
                members = self.places[labels == module]
                sizes.append(np.linalg.norm(members - members.mean(axis=0), axis=1).mean())
            _ = np.mean(sizes)

    def scipy(self, n: int) -> None:
        """One call for each statistic, both vectorized."""
        for statistic in (self.isolated, self.size):
            scipy.stats.permutation_test(
                (self.labels,),
                statistic,
                permutation_type="pairings",
                vectorized=True,
                n_resamples=n,
                batch=100,
                alternative="less",
            )

    def isolated(self, labels: np.ndarray, axis: int = -1) -> np.ndarray:
        """(..., unit) to (...,)."""
        same = (labels[..., self.table] == labels[..., None]) & (self.table >= 0)
        return 1 - same.any(axis=-1).mean(axis=-1)

    def size(self, labels: np.ndarray, axis: int = -1) -> np.ndarray:
        """(..., unit) to (...,)."""
        member = labels[..., None, :] == np.arange(MODULES)[:, None]  # (..., module, unit)
        count = member.sum(axis=-1)
        centre = member @ self.places / count[..., None]
        own = np.take_along_axis(centre, labels[..., None], axis=-2)  # (..., unit, space)
        distance = np.linalg.norm(self.places - own, axis=-1)
        return ((member @ distance[..., None])[..., 0] / count).mean(axis=-1)
