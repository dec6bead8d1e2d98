"""The same statistics by esda, the library of spatial statistics; `make test-peers` fetches it."""

import numpy as np
import pytest
import torch

from brainrnn.analysis import join_count, morans_i, neighbours, permutation_test
from brainrnn.anatomy.geometry import grid

pytestmark = pytest.mark.slow
esda = pytest.importorskip("esda", reason="needs esda: make test-peers")
libpysal = pytest.importorskip("libpysal")


@pytest.fixture(params=["4", "8", 2.0])
def graph(request):
    """Sites of which a third is empty: our table of neighbours, and esda's weights."""
    sites = grid(9, 9).numpy()
    places = sites[np.random.default_rng(0).random(81) < 0.67]
    together = neighbours(places, request.param, sites=sites) >= 0
    places = places[together.any(1).numpy()]  # esda leaves out who has no neighbour
    table = neighbours(places, request.param, sites=sites)
    near = {i: [j for j in row if j >= 0] for i, row in enumerate(table.tolist())}
    return table, libpysal.weights.W(near)


def test_morans_i_and_its_null(graph):
    table, weights = graph
    n = len(table)
    x = np.random.default_rng(1).exponential(size=n)
    theirs = esda.Moran(x, weights, transformation="b", permutations=0)
    test = permutation_test({("i",): morans_i(table, x[:, None])}, np.arange(n), n=20_000)
    assert test.observed.item() == pytest.approx(theirs.I, rel=1e-9)
    assert test.null_mean.item() == pytest.approx(theirs.EI, abs=4 * test.null_sd.item() / 141)
    assert test.null_sd.item() == pytest.approx(np.sqrt(theirs.VI_rand), rel=0.02)
    assert test.z.item() == pytest.approx(theirs.z_rand, abs=0.1)


def test_joins_of_one_colour(graph):
    table, weights = graph
    module = np.random.default_rng(2).integers(0, 4, len(table))
    both = [esda.Join_Counts((module == k).astype(int), weights, permutations=0) for k in range(4)]
    joins = weights.s0 / 2
    ours = join_count(table)(torch.from_numpy(module)[None]).item()
    assert ours == pytest.approx(sum(one.bb for one in both) / joins, rel=1e-9)
