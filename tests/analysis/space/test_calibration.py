"""Do the tests of a map say what is true? Random maps, planted maps, checkerboards."""

import numpy as np
import pytest
import scipy.stats
import xarray as xr

from brainrnn.analysis import cluster_size, fraction_isolated, neighbours, permutation_test
from brainrnn.analysis.map_statistics import STATISTICS
from brainrnn.analysis.neurons import Neurons
from brainrnn.anatomy.geometry import grid, line, ring

OF_PAPER = {
    "isolated": lambda neurons: fraction_isolated(neurons.neighbours),
    "cluster_size": lambda neurons: cluster_size(neurons.place),
}
OF_MODULES = OF_PAPER | {k: row.of for k, row in STATISTICS.items() if row.permuted == "modules"}
OF_NEURONS = {
    ("moran", *"abcd") if name == "moran" else name: row.of
    for name, row in STATISTICS.items()
    if row.permuted == "neurons"
}
SIDES = {name: row.alternative for name, row in STATISTICS.items()} | dict.fromkeys(
    "abcd", "greater"
)
SIZES = {  # of modules, as shares of the neurons
    "equal": np.full(6, 1 / 6),
    "unbalanced": np.array([0.7, 0.2, 0.05, 0.03, 0.02]),
}
MAPS = {
    # sites, kind of neighbours, share that is occupied, sizes of the modules
    "half of the sites are empty": (grid(8, 8), "8", 0.5, "equal"),
    "all sites occupied": (grid(6, 6), "4", 1.0, "equal"),
    "unbalanced modules": (grid(7, 7), "8", 0.8, "unbalanced"),
    "few neurons": (grid(3, 3), "8", 0.6, "equal"),
    "a ring": (ring(30), 1.5, 0.7, "equal"),
    "a line": (line(24), "8", 0.8, "unbalanced"),
}


def neurons_on(sites, active, module, *, variance, weight, kind="8"):
    """Active neurons of a network, as the statistics see them."""
    brain = xr.Dataset(
        {
            "position": (("unit", "space"), sites),
            "module": ("unit", module),
            "task_variance": (("unit", "task"), variance),
            "weight": (("unit", "source"), weight),
        },
        coords={"task": list("abcd")},
        attrs={"neighbourhood": kind},
    )
    return Neurons(brain, active)


def random_neurons(rng, sites, kind, occupied, sizes):
    n = len(sites)
    active = rng.permutation(n) < max(4, round(occupied * n))
    neurons = neurons_on(
        sites.numpy(),
        active,
        rng.choice(len(SIZES[sizes]), n, p=SIZES[sizes]),
        variance=rng.gamma(0.5, size=(n, 4)),
        weight=rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.3),
        kind=kind,
    )
    neurons.community = rng.integers(0, 3, active.sum())
    return neurons


def map_tests(neurons, n, seed):
    """All permutation tests of one network."""
    both = (OF_MODULES, neurons.module), (OF_NEURONS, np.arange(neurons.chosen.sum()))
    for makers, labels in both:
        statistics = {name: of(neurons) for name, of in makers.items()}
        yield permutation_test(statistics, labels, n=n, seed=seed, alternative=SIDES)


def ranks(test, rng):
    """What p would be if ties were broken by lot, spread evenly over its steps of 1 / (n + 1).

    Exactly uniform from 0 to 1 if the null is right, however many values are alike; and what p
    itself must be, with every tie against the finding.
    """
    side = np.array([SIDES[name] for name in test.statistic.values])
    sign = np.where(side == "less", 1, -1)
    observed = (sign * test.observed.values).astype(np.float32)[:, None]
    null = sign[:, None] * test.null.values
    tie = 1e-6 * np.abs(observed)
    below, ties = (null < observed - tie).sum(1), (np.abs(null - observed) <= tie).sum(1)
    n = null.shape[1]
    return (below + rng.random(len(side)) * (ties + 1)) / (n + 1), (below + ties + 1) / (n + 1)


def calibration(name, maps, n=99):
    """(map, statistic) ranks, p-values, and what these must be, by name of the statistic."""
    rng = np.random.default_rng(list(MAPS).index(name))
    found = {}
    for seed in range(maps):
        for test in map_tests(random_neurons(rng, *MAPS[name]), n, seed):
            rank, expected = ranks(test, rng)
            for i, statistic in enumerate(test.statistic.values.tolist()):
                if np.isfinite(test.observed.values[i]):
                    row = rank[i], test.p.values[i], expected[i]
                    found.setdefault(statistic, []).append(row)
    return {statistic: np.array(rows).T for statistic, rows in found.items()}


@pytest.mark.parametrize(
    ("name", "maps"),
    [(name, 40) for name in ("half of the sites are empty", "unbalanced modules", "few neurons")]
    + [pytest.param(name, 2000, marks=pytest.mark.slow) for name in MAPS],
)
def test_p_values_of_random_maps_are_uniform(name, maps):
    found = calibration(name, maps)
    assert len(found) == 16
    for statistic, (rank, p, expected) in found.items():
        assert len(p) > 0.4 * maps
        # 16 statistics of 6 kinds of map: one in a hundred such tables has a lower value.
        assert scipy.stats.kstest(rank, "uniform").pvalue > 0.01 / 96, statistic
        # The null is kept in single precision, where a tie may look like none.
        assert (~np.isclose(p, expected)).mean() < 0.005, statistic
        for level in (0.01, 0.05, 0.1, 0.25, 0.5):
            error = 4 * np.sqrt(level * (1 - level) / len(p))
            assert (p <= level).mean() <= level + error, statistic


ROW, COLUMN = np.indices((12, 12)).reshape(2, -1)
PLANTED = {  # four modules on a grid of 12 x 12; those that do not look at places see no map
    "patches": lambda rng: 2 * (ROW // 6) + COLUMN // 6,
    "stripes": lambda rng: COLUMN // 3,
    "gradient": lambda rng: np.clip(ROW / 3 + rng.normal(0, 0.5, 144), 0, 3).astype(int),
    "one cluster": lambda rng: np.where(
        np.hypot(ROW - 4, COLUMN - 5) < 3.5, 0, rng.integers(1, 4, 144)
    ),
}
OF_ONE = ("join_count", "moran")
OF_MANY = ("isolated", "cluster_size", "component_size", "distance_similarity")
BLIND = ("within_module_weight", "participation", "strength_similarity", "distance_strength")


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_maps_are_found_among_empty_sites_and_noise(kind):
    rng, maps, found = np.random.default_rng(0), 10, {}
    for seed in range(maps):
        module = np.where(rng.random(144) < 0.2, rng.integers(0, 4, 144), PLANTED[kind](rng))
        neurons = neurons_on(
            grid(12, 12).numpy(),
            rng.random(144) < 0.7,
            module,
            variance=0.3 * rng.gamma(0.5, size=(144, 4)) + (module[:, None] == np.arange(4)),
            weight=rng.normal(size=(144, 144)),
        )
        neurons.community = rng.integers(0, 3, neurons.chosen.sum())
        for test in map_tests(neurons, 199, seed):
            for name, p in zip(test.statistic.values.tolist(), test.p.values, strict=True):
                found[name] = found.get(name, 0) + (p <= 0.05) / maps
    assert min(found[name] for name in OF_ONE) > 0.75, found
    if kind != "one cluster":  # they are means over modules or neurons, most of which lie anywhere
        assert min(found[name] for name in OF_MANY) > 0.75, found
    assert max(found[name] for name in BLIND) < 0.35, found  # they do not look at a map


@pytest.mark.parametrize("kind", ["4", "8"])
def test_a_checkerboard_is_more_isolated_than_chance(kind):
    places = grid(10, 10).numpy()
    row, column = np.indices((10, 10)).reshape(2, -1)
    # No neuron has a neighbour of its own colour: two colours do for 4 neighbours, 8 need four.
    labels = (row + column) % 2 if kind == "4" else 2 * (row % 2) + column % 2
    statistics = {"isolated": fraction_isolated(neighbours(places, kind))}
    test = permutation_test(statistics, labels, n=999).sel(statistic="isolated")
    assert float(test.observed) == 1
    assert float(test.p) == 1
    assert float(test.z) > 4
