"""10,000 permutations of both map statistics against a loop over permutations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

import brainrnn as br
from benchmarks.timing import Comparison, compare
from brainrnn.analysis import cluster_size, fraction_isolated, neighbours


def comparisons() -> Iterator[Comparison]:
    positions = br.grid(20, 20)
    labels = np.random.default_rng(0).integers(0, 12, 400)
    near = neighbours(positions, "8")
    distance = br.l2(positions, positions)
    adjacent = (distance > 0) & (distance < 1.5 / 20)
    rows, columns = (index.numpy() for index in torch.nonzero(adjacent, as_tuple=True))
    places = positions.numpy()

    def loop(n: int = 100) -> None:
        """A hundredth of the work, as one would write it in NumPy."""
        rng = np.random.default_rng(0)
        for _ in range(n):
            order = rng.permutation(labels)
            same = np.bincount(rows[order[rows] == order[columns]], minlength=400)
            _ = (same == 0).mean()
            sizes = []
            for module in np.unique(order):
                members = places[order == module]
                sizes.append(np.linalg.norm(members - members.mean(0), axis=1).mean())
            _ = np.mean(sizes)

    statistics = {"isolated": fraction_isolated(near), "cluster_size": cluster_size(positions)}
    result = compare(
        "400 neurons, 10,000 permutations, both statistics",
        lambda: br.permutation_test(statistics, labels, n=10_000, seed=0),
        loop,
        rounds=5,
    )
    yield Comparison(result.case, result.ours, [100 * t for t in result.theirs])
