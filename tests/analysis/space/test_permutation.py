import itertools
import time

import numpy as np
import pytest
import scipy.stats
import torch

from brainrnn.analysis import cluster_size, fraction_isolated, neighbours, permutation_test
from brainrnn.analysis.space import permutation as module
from brainrnn.anatomy.geometry import grid
from tests.analysis.refused import refused

VALUES = np.array([0.3, 1.9, 0.7, 2.5, 1.1, 0.2, 3.0])
LABELS = np.array([1, 0, 0, 2, 1, 0, 2])


def weighted(labels):
    return labels.double() @ torch.from_numpy(VALUES)


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided"])
def test_against_all_permutations_by_scipy(alternative):
    exact = scipy.stats.permutation_test(
        (LABELS,),
        lambda x, axis: (x * VALUES).sum(axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=np.inf,
        alternative=alternative,
    )
    n = 40_000
    found = permutation_test({"w": weighted}, LABELS, n=n, alternative=alternative).squeeze()
    error = 5 / np.sqrt(n)
    assert float(found.observed) == pytest.approx(exact.statistic)
    assert float(found.p) == pytest.approx(exact.pvalue, abs=error)
    null = exact.null_distribution
    assert float(found.null_mean) == pytest.approx(null.mean(), abs=error * null.std())
    assert float(found.null_sd) == pytest.approx(null.std(), rel=error)
    assert float(found.z) == pytest.approx((exact.statistic - null.mean()) / null.std(), abs=0.1)


def test_the_numbers_are_those_of_the_null_that_is_kept():
    test = permutation_test({"w": weighted}, LABELS, n=999, seed=5).squeeze()
    null = test.null.values.astype(float)
    assert test.sizes == {"permutation": 999}
    below = (null <= float(test.observed) + 1e-6).sum()
    assert float(test.p) == (below + 1) / 1000
    np.testing.assert_allclose(test.null_mean, null.mean(), rtol=1e-6)
    np.testing.assert_allclose(
        [test.null_low, test.null_high], np.quantile(null, [0.025, 0.975]), rtol=1e-6
    )


def test_every_permutation_keeps_the_labels():
    seen = []

    def look(labels):
        seen.append(labels.clone())
        return labels[:, 0].double()

    permutation_test({"look": look}, LABELS, n=50)
    for row in torch.cat(seen):
        assert sorted(row.tolist()) == sorted(LABELS)
    assert len({tuple(row.tolist()) for row in torch.cat(seen)}) > 30


def counts_of_orders(draw, n):
    orders = np.unique(draw(n, 3).numpy(), axis=1, return_counts=True)
    return dict(zip(map(tuple, orders[0].T.tolist()), orders[1].tolist(), strict=True))


class FewNumbers:
    """A generator whose numbers often coincide: four bits instead of 32."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def integers(self, high, size, dtype):
        low, top = self.rng.integers(16, size=(2, *size), dtype=np.uint64)
        return low | top << np.uint64(32)


@pytest.mark.parametrize("way", ["sorted", "shuffled", "device", "ties"])
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [1, 0, 0, 2, 0]])
def test_every_order_is_equally_likely(way, labels, monkeypatch):
    if way == "shuffled":
        monkeypatch.setattr(module, "_SORTED", 0)
    if way == "ties":
        monkeypatch.setattr(np.random, "Generator", FewNumbers)
    labels = np.array(labels, np.int8)
    if way == "device":
        draw = module._on_device(labels, torch.device("cpu"))
    else:
        draw = module._on_cpu(labels)
    n = 20_000
    counts = counts_of_orders(draw, n)
    assert set(counts) == set(itertools.permutations(labels.tolist()))
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("units", [1, 6, 7, 200, 2500])
def test_one_seed_gives_one_result(units):
    labels = np.random.default_rng(0).integers(0, 3, units)
    values = torch.from_numpy(np.random.default_rng(1).random(units))

    def statistic(labels):
        return labels.double() @ values

    one, again = (permutation_test({"w": statistic}, labels, n=300, seed=7) for _ in range(2))
    assert one.equals(again)
    if units > 1:
        other = permutation_test({"w": statistic}, labels, n=300, seed=8)
        assert not other.null.equals(one.null)
        assert len(np.unique(one.null)) > 10


def test_round_off_makes_no_difference():
    def total(labels):  # the same for every permutation, but for the order of summation
        return (labels.double() * 0.1 + 0.7).cumsum(1)[:, -1]

    test = permutation_test({"total": total}, np.arange(30), n=500).squeeze()
    assert len(np.unique([total(torch.randperm(30)[None]).item() for _ in range(50)])) > 1
    assert float(test.p) == 1
    assert float(test.null_sd) == 0
    assert np.isnan(float(test.z))


def test_one_module_only_is_no_evidence():
    table = neighbours(grid(3, 3).numpy(), "8")
    test = permutation_test({"isolated": fraction_isolated(table)}, np.zeros(9), n=20)
    assert test.p.values == [1]
    assert np.isnan(test.z.values)


def test_statistics_see_the_same_permutations_however_many_threads(monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 70)
    one = permutation_test({"w": weighted}, LABELS, n=100, seed=2)
    two = permutation_test({"v": weighted, "w": weighted}, LABELS, n=100, seed=2)
    np.testing.assert_array_equal(two.null[0], two.null[1])
    assert two.sel(statistic="w").identical(one.sel(statistic="w"))
    threads = torch.get_num_threads()
    for n in (1, 3):
        torch.set_num_threads(n)
        try:
            shared = permutation_test({"w": weighted}, LABELS, n=100, seed=2)
        finally:
            torch.set_num_threads(threads)
        assert shared.identical(one)


def test_labels_may_be_anything():
    names = np.array(["delay", "choice", "choice", "motor", "delay", "choice", "motor"])
    gaps = np.array([7, -1, -1, 300, 7, -1, 300])
    size = {"size": cluster_size(VALUES[:, None])}
    expected = permutation_test(size, LABELS, n=30)
    assert permutation_test(size, gaps, n=30).equals(expected)
    np.testing.assert_allclose(permutation_test(size, names, n=30).observed, expected.observed)


def test_more_labels_than_a_byte_holds():
    places = grid(20, 20).numpy()
    test = permutation_test({"size": cluster_size(places)}, np.arange(400), n=10).squeeze()
    assert float(test.observed) == 0  # every cluster is one neuron


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n": 0}, "at least 1 permutation"), ({"alternative": "smaller"}, "use 'less'")],
)
def test_bad_options(options, message):
    with refused(message):
        permutation_test({"w": weighted}, LABELS, **options)


def test_ten_thousand_permutations_of_400_neurons_take_less_than_a_second():
    places = grid(20, 20).numpy()
    labels = np.random.default_rng(0).integers(0, 10, 400)
    taken = []
    for _ in range(3):
        start = time.process_time()
        statistics = {
            "isolated": fraction_isolated(neighbours(places, "8")),
            "cluster_size": cluster_size(places),
        }
        test = permutation_test(statistics, labels, n=10_000)
        taken.append(time.process_time() - start)
    assert test.null.shape == (2, 10_000)
    assert min(taken) < 1


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        (lambda labels: 1.0, "'mine' must return a tensor or an array, got float"),
        (lambda labels: labels.double().mean(), r"each labelling of the batch, .*got \(\)"),
        (lambda labels: labels.double(), r"the shape \(1,\), got \(1, 6\)"),
        (lambda labels: labels[0].double()[:1], r"the shape \(20,\), got \(1,\)"),
    ],
)
def test_a_statistic_of_ones_own_that_is_none(mine, message):
    with refused(message):
        permutation_test({"mine": mine}, [0, 0, 0, 1, 1, 1], n=20)


def test_a_statistic_of_ones_own_may_be_numpy_and_of_whole_numbers():
    def of_torch(labels):
        return (labels[:, 1:] != labels[:, :-1]).double().sum(1)

    def of_numpy(labels):
        return (np.diff(labels.numpy(), axis=1) != 0).sum(1)

    labels = ["a"] * 6 + ["b"] * 6
    one, two = (permutation_test({"mine": f}, labels, n=200) for f in (of_torch, of_numpy))
    assert one.identical(two)
    assert float(one.p[0]) < 0.02


def test_labels_of_several_networks_are_refused():
    with refused(r"one for each place, \(unit,\), got the shape \(2, 6\)"):
        permutation_test({"mine": lambda labels: labels}, np.zeros((2, 6), int), n=3)
