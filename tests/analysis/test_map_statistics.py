import networkx as nx
import numpy as np
import pytest
import torch
import xarray as xr
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.pairwise import cosine_similarity

from brainrnn.analysis import (
    join_count,
    load,
    map_statistics,
    neighbours,
    normalise,
    save,
    statistics_table,
)
from brainrnn.analysis.graph.recurrent import live
from brainrnn.errors import InputError
from tests.analysis.synthetic import TASKS, brain_dataset

FIELDS = ("observed", "null_mean", "null_sd", "null_low", "null_high", "z", "p")


def local_weight(side=8, members=1, seed=0):
    """Weights of neurons on a grid that fall off with distance."""
    places = np.indices((side, side)).reshape(2, -1).T
    gap = squareform(pdist(places))
    return np.random.default_rng(seed).normal(size=(members, side**2, side**2)) * np.exp(-gap)


@pytest.fixture(scope="module")
def brain():
    return brain_dataset(members=2, weight=local_weight(members=2))


@pytest.fixture(scope="module")
def statistics(brain):
    return map_statistics(brain, graphs=20)


def test_a_map_with_local_wiring_is_found_by_every_statistic_that_looks_for_one(statistics):
    found = statistics.p.to_series().unstack("member")
    asked = [s for s in found.index if s not in ("path_length", "largest_component")]
    assert (found.loc[asked] < 0.05).all(axis=None)
    assert (statistics.z.sel(statistic=["distance_similarity", "distance_strength"]) < -4).all()


def test_the_two_measures_are_those_of_the_analysis(brain, statistics):
    for field in FIELDS:
        same = statistics[field].sel(statistic=["isolated", "cluster_size"])
        np.testing.assert_array_equal(same, brain[field])
    draws = statistics.draws.to_series()
    assert draws[["isolated", "join_count", "moran_a"]].tolist() == [200] * 3
    assert draws["modularity"] == 20


def test_small_worldness_beside_graphs_of_equal_density_against_networkx(brain, statistics):
    one = brain.isel(member=0)
    some = one.active.values
    edge = live(one.weight.values[np.ix_(some, some)].astype(float))
    graph = nx.from_numpy_array(edge | edge.T)
    assert nx.is_connected(graph)
    size = graph.number_of_nodes(), graph.number_of_edges()
    random = [nx.gnm_random_graph(*size, seed=seed) for seed in range(20)]
    ratio = [
        measure(graph) / np.mean([measure(other) for other in random])
        for measure in (nx.average_clustering, nx.average_shortest_path_length)
    ]
    found = statistics.observed[0].to_series()
    assert found["small_world_density"] == pytest.approx(ratio[0] / ratio[1], rel=0.1)
    assert found["small_world"] < 0.9 * found["small_world_density"]  # degrees explain a part


def test_what_is_observed_against_other_libraries(brain, statistics):
    for member in range(2):
        one, observed = brain.isel(member=member), statistics.observed[member].to_series()
        live = one.active.values
        place, module = one.position.values[live], one.module.values[live]
        weight = np.abs(one.weight.values[np.ix_(live, live)].astype(float))
        connected = (weight + weight.T)[np.triu_indices(live.sum(), 1)]
        alike = cosine_similarity(normalise(one.task_variance).values[live])
        alike = alike[np.triu_indices(live.sum(), 1)]
        for name, pair in {
            "distance_similarity": (pdist(place), alike),
            "strength_similarity": (connected, alike),
            "distance_strength": (pdist(place), connected),
        }.items():
            assert observed[name] == pytest.approx(pearsonr(*pair)[0], rel=1e-5)
        table = neighbours(place, 1.5, sites=one.position.values)
        joins = join_count(table)(torch.from_numpy(module)[None]).item()
        assert observed["join_count"] == pytest.approx(joins)
        assert observed["moran"] == pytest.approx(observed[[f"moran_{t}" for t in TASKS]].mean())
        community = statistics.community.values[member]
        assert (community[~live] == -1).all()
        agreement = adjusted_mutual_info_score(community[live], module)
        assert observed["community_agreement"] == pytest.approx(agreement)


def test_members_do_not_touch(brain, statistics):
    alone = map_statistics(brain.isel(member=[1]), graphs=20)
    for field in (*FIELDS, "community", "length_estimate"):
        np.testing.assert_array_equal(alone[field][0], statistics[field][1])


def test_the_seed_is_that_of_the_analysis_unless_another_is_given(brain):
    few = {"permutations": 50, "graphs": 3}
    one, other = (map_statistics(brain, seed=seed, **few) for seed in (None, 5))
    assert one.identical(map_statistics(brain, seed=brain.attrs["seed"], **few))
    assert not other.p.equals(one.p)
    assert other.attrs["seed"] == 5


def test_every_variable_has_a_name_and_units_and_it_can_be_kept(statistics, tmp_path):
    for variable in statistics.data_vars.values():
        assert variable.attrs["long_name"]
        assert variable.attrs["units"]
    save(statistics, tmp_path / "statistics.nc")
    xr.testing.assert_equal(load(tmp_path / "statistics.nc"), statistics)


@pytest.mark.slow
def test_random_maps_are_nothing_special():
    """One brain, its neurons in random order: p of no statistic of the map is too often small."""
    p, brain = [], brain_dataset(weight=local_weight())
    live = np.flatnonzero(brain.active.values[0])
    for seed in range(60):
        order = np.arange(64)
        order[live] = np.random.default_rng(seed).permutation(live)
        moved = brain.assign(
            task_variance=brain.task_variance[:, order], module=brain.module[:, order]
        )
        p.append(map_statistics(moved, permutations=99, graphs=2, seed=seed).p[0].to_series())
    about_the_map = ["join_count", "component_size", "moran", "distance_similarity"]
    about_the_map += ["strength_similarity", "within_module_weight", "participation"]
    about_the_map += ["community_agreement", *(f"moran_{t}" for t in TASKS)]
    share = np.mean([one[about_the_map] <= 0.1 for one in p], axis=0)
    assert share.max() <= 0.1 + 3.5 * np.sqrt(0.09 / 60)
    assert 0.03 < share.mean() < 0.17


def test_a_silent_network_has_nothing_to_say(brain):
    silent = brain.copy(deep=True)
    silent["active"][0] = False
    silent["module"][0] = -1
    found = map_statistics(silent, permutations=20, graphs=2)
    assert found[list(FIELDS)].isel(member=0).to_array().isnull().all()
    assert found.length_estimate[0].isnull().all()
    assert (found.community[0] == -1).all()
    assert (found.p[1] < 1).any()
    assert "-" in statistics_table(found)


def test_the_table_shows_every_statistic_and_fit(statistics):
    text = statistics_table(statistics)
    for name in (*statistics["name"].values, "power law", "truncated power law", "network 1"):
        assert str(name) in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"permutations": 0}, "at least 1 permutation"),
        ({"graphs": 0}, "at least 1 random graph"),
        ({"live_threshold": -0.1}, "fraction of the largest weight"),
    ],
)
def test_bad_options(brain, options, message):
    with pytest.raises(InputError, match=message):
        map_statistics(brain, **options)
