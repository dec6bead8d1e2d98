"""The same statistics by esda, netneurotools and powerlaw; `make test-peers` fetches them."""

import warnings

import numpy as np
import pytest
import torch

from brainrnn.analysis import (
    connection_lengths,
    join_count,
    morans_i,
    neighbours,
    permutation_test,
    within_module_weight,
)
from brainrnn.anatomy.geometry import grid

pytestmark = pytest.mark.slow
HINT = "make test-peers"


@pytest.fixture(params=["4", "8", 2.0])
def table(request):
    """Neighbours of neurons on a grid of which a third is empty; each neuron has one at least."""
    sites = grid(9, 9).numpy()
    places = sites[np.random.default_rng(0).random(81) < 0.67]
    together = neighbours(places, request.param, sites=sites) >= 0
    return neighbours(places[together.any(1).numpy()], request.param, sites=sites)


@pytest.fixture
def weights(table):
    libpysal = pytest.importorskip("libpysal", reason=HINT)
    near = {i: [j for j in row if j >= 0] for i, row in enumerate(table.tolist())}
    return libpysal.weights.W(near)


def test_morans_i_and_its_null_by_esda(table, weights):
    esda = pytest.importorskip("esda", reason=HINT)
    n = len(table)
    x = np.random.default_rng(1).exponential(size=n)
    theirs = esda.Moran(x, weights, transformation="b", permutations=0)
    test = permutation_test({("i",): morans_i(table, x[:, None])}, np.arange(n), n=20_000)
    assert test.observed.item() == pytest.approx(theirs.I, rel=1e-9)
    assert test.null_mean.item() == pytest.approx(theirs.EI, abs=4 * test.null_sd.item() / 141)
    assert test.null_sd.item() == pytest.approx(np.sqrt(theirs.VI_rand), rel=0.02)
    assert test.z.item() == pytest.approx(theirs.z_rand, abs=0.1)


def test_joins_of_one_colour_by_esda(table, weights):
    esda = pytest.importorskip("esda", reason=HINT)
    module = np.random.default_rng(2).integers(0, 4, len(table))
    both = [esda.Join_Counts((module == k).astype(int), weights, permutations=0) for k in range(4)]
    joins = weights.s0 / 2
    ours = join_count(table)(torch.from_numpy(module)[None]).item()
    assert ours == pytest.approx(sum(one.bb for one in both) / joins, rel=1e-9)


def test_morans_i_by_netneurotools(table, weights):
    spatial = pytest.importorskip("netneurotools.spatial", reason=HINT)
    x = np.random.default_rng(1).exponential(size=(len(table), 3))
    near = weights.full()[0]
    theirs = [spatial.morans_i(column, near, use_numba=False) for column in x.T]
    ours = morans_i(table, x)(torch.arange(len(x))[None]).flatten()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_weight_within_modules_by_netneurotools():
    """Theirs is the share of weight within modules less what strengths alone would give."""
    modularity = pytest.importorskip("netneurotools.modularity", reason=HINT)
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(40, 40)) * (rng.random((40, 40)) < 0.3)
    module = rng.integers(0, 4, 40)
    size = np.abs(weight) + np.abs(weight).T
    np.fill_diagonal(size, 0)
    theirs = modularity.get_modularity(size, module + 1).sum()
    by_module = np.array([size[module == k].sum() for k in range(4)]) / size.sum()
    ours = within_module_weight(weight)(torch.from_numpy(module)[None]).item()
    assert ours - (by_module**2).sum() == pytest.approx(theirs, rel=1e-9)


LAWS = {  # expected contacts, few enough for a pair to be connected at most once
    "power_law": lambda d: 0.02 * d**-1.2,
    "exponential": lambda d: 0.02 * np.exp(-0.1 * d),
    "truncated_power_law": lambda d: 0.02 * d**-0.6 * np.exp(-0.03 * d),
}


@pytest.mark.parametrize("planted", LAWS)
def test_fits_to_lengths_of_connections_by_powerlaw(planted):
    """On a ring every distance is that of equally many pairs: there, lengths alone are enough."""
    powerlaw = pytest.importorskip("powerlaw", reason=HINT)
    n = 1501
    away = np.abs(np.arange(n)[:, None] - np.arange(n))
    distance = np.minimum(away, n - away).astype(float)
    p = np.zeros((n, n))
    off = distance > 0
    p[off] = LAWS[planted](distance[off])
    connected = np.random.default_rng(0).random((n, n)) < p
    ours = connection_lengths(distance, connected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero on its way
        theirs = powerlaw.Fit(
            distance[connected],
            discrete=True,
            xmin=1,
            xmax=n // 2,
            discrete_normalization="sum",
            verbose=0,
        )
        law, exponential, lognormal, truncated = (
            getattr(theirs, name)
            for name in ("power_law", "exponential", "lognormal", "truncated_power_law")
        )
        ratio, ratio_p = theirs.distribution_compare("power_law", "exponential")

    def estimate(model, parameter):
        return float(ours.estimate.sel(model=model, parameter=parameter))

    assert estimate("power_law", "exponent") == pytest.approx(law.alpha, rel=0.01)
    assert estimate("exponential", "rate") == pytest.approx(exponential.Lambda, rel=0.01)
    assert float(ours.ratio.sel(model="exponential")) == pytest.approx(ratio, rel=0.03)
    assert np.sign(ratio) == np.sign(float(ours.ratio_z.sel(model="exponential")))
    if ratio_p < 1e-3:  # ours is the wider test: pairs that share a neuron are not independent
        assert float(ours.ratio_p.sel(model="exponential")) < 0.05
    if planted == "power_law":
        return  # the others are at the edge of what they can be, where powerlaw stops anywhere
    assert estimate("truncated_power_law", "exponent") == pytest.approx(truncated.alpha, abs=0.02)
    assert estimate("truncated_power_law", "rate") == pytest.approx(truncated.Lambda, rel=0.02)
    curvature = 1 / (2 * lognormal.sigma**2)
    assert estimate("lognormal", "curvature") == pytest.approx(curvature, rel=0.02)
    exponent = 1 - lognormal.mu / lognormal.sigma**2
    assert estimate("lognormal", "exponent") == pytest.approx(exponent, abs=0.02)
    for model, other in (("lognormal", lognormal), ("truncated_power_law", truncated)):
        better = other.loglikelihood - law.loglikelihood
        assert -float(ours.ratio.sel(model=model)) == pytest.approx(better, rel=0.03)
