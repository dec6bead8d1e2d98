import json
from importlib.metadata import version

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.metrics import adjusted_rand_score

from brainrnn.analysis import AnalysisSpec, analyse, as_json, summary
from brainrnn.errors import InputError
from tests.analysis.space.test_isolated import isolated_by_hand, size_by_hand
from tests.analysis.synthetic import TASKS, Net, Suite, brain_dataset, quadrants, tuned_net

SPEC = AnalysisSpec(trials=32, accuracy_trials=40, permutations=500, k_range=(2, 6))
DIMS = {
    "task_variance": ("member", "unit", "task"),
    "active": ("member", "unit"),
    "module": ("member", "unit"),
    "position": ("member", "unit", "space"),
    "weight": ("member", "unit", "source"),
    "clusters": ("member",),
    "silhouette": ("member", "k"),
    "accuracy": ("member", "task"),
    "ceiling": ("task",),
    "null": ("member", "statistic", "permutation"),
    "connection_cost": ("member",),
    "sparsity": ("member",),
} | dict.fromkeys(
    ("observed", "null_mean", "null_sd", "null_low", "null_high", "z", "p"),
    ("member", "statistic"),
)


@pytest.fixture(scope="module")
def brain():
    places, modules = quadrants(8)
    return analyse(tuned_net(modules, places, members=2), Suite(), SPEC, seed=1)


def test_every_variable_has_its_dimensions_a_name_and_units(brain):
    assert {name: brain[name].dims for name in brain.data_vars} == DIMS
    for variable in brain.data_vars.values():
        assert variable.attrs["long_name"]
        assert variable.attrs["units"]
    assert brain.null.dtype == np.float32
    assert brain.active.dtype == bool
    assert list(brain.statistic.values) == ["isolated", "cluster_size"]
    assert list(brain.space.values) == ["x", "y"]
    assert tuple(brain.task.values) == TASKS


def test_the_settings_are_kept(brain):
    assert brain.attrs["seed"] == 1
    assert brain.attrs["permutations"] == 500
    assert brain.attrs["active_threshold"] == 0.01
    assert brain.attrs["neighbourhood"] == 1.5
    assert brain.attrs["k_range"] == [2, 6]
    assert brain.attrs["version_torch"] == version("torch")


def test_a_planted_map_comes_out(brain):
    _, modules = quadrants(8)
    for member in range(2):
        assert adjusted_rand_score(modules, brain.module[member]) == 1
    assert brain.clusters.values.tolist() == [4, 4]
    assert (brain.p <= 0.05).all()
    np.testing.assert_array_equal(brain.accuracy, [[1] * 4, [0] * 4])
    np.testing.assert_array_equal(brain.ceiling, Suite().ceiling())


def test_the_same_seed_gives_the_same_brain_and_members_do_not_touch():
    places, modules = quadrants(6)
    both, again = (
        analyse(tuned_net(modules, places, members=2), Suite(), SPEC, seed=4) for _ in range(2)
    )
    assert both.identical(again)
    alone = analyse(tuned_net(modules, places), Suite(), SPEC, seed=4)
    assert (
        alone.drop_vars("weight").isel(member=0).identical(both.drop_vars("weight").isel(member=0))
    )


def test_weights_of_gates_and_sparsity_against_loops():
    places, modules = quadrants(3)
    rng = np.random.default_rng(0)
    stacked = rng.normal(size=(1, 27, 9)) * 10.0 ** rng.integers(-6, 1, (1, 27, 9))
    net = Net(tuned_net(modules, places).tuning, places, stacked)
    brain = analyse(net, Suite(), SPEC, connection_cost=torch.tensor([3.5]))
    largest = np.abs(stacked).max()
    for u in range(9):
        for s in range(9):
            gates = [np.float32(stacked[0, g * 9 + u, s]) for g in range(3)]
            assert float(brain.weight[0, u, s]) == max(gates, key=abs)
    absent = sum(abs(w) <= 1e-3 * largest for w in stacked.flat)
    assert float(brain.sparsity[0]) == absent / stacked.size
    assert float(brain.connection_cost[0]) == 3.5


def test_inactive_neurons_are_left_out_of_the_map():
    brain = brain_dataset()
    border = np.abs(brain.position - 0.5).max("space") > 0.38
    np.testing.assert_array_equal(brain.module == -1, border)
    np.testing.assert_array_equal(brain.active, ~border)


def test_each_network_is_tested_on_its_own_active_neurons_and_all_its_sites():
    places, modules = quadrants(8)
    row, column = np.indices((8, 8)).reshape(2, -1)
    sparse = np.where(row % 2 + column % 2 == 0, modules, -1)  # no two active ones are adjacent
    tuning = torch.cat([tuned_net(m, places).tuning for m in (sparse, modules)])
    moved = np.stack([places, np.random.default_rng(0).permutation(places)])
    brain = analyse(Net(tuning, moved), Suite(), SPEC)
    assert brain.active.sum("unit").values.tolist() == [16, 64]
    assert float(brain.observed.sel(statistic="isolated")[0]) == 1
    for member in range(2):
        live = brain.active.values[member]
        place, labels = moved[member, live], brain.module.values[member, live]
        expected = isolated_by_hand(place, labels, "8", 1 / 8), size_by_hand(place, labels)
        np.testing.assert_allclose(brain.observed[member], expected)


def test_a_silent_network_is_reported_as_such():
    places, _ = quadrants(3)
    brain = analyse(Net(np.zeros((1, 9, 4)), places), Suite(), SPEC)
    assert not bool(brain.active.any())
    assert int(brain.clusters[0]) == 0
    assert (brain.module == -1).all()
    assert bool(brain[["observed", "z", "p", "null"]].to_array().isnull().all())
    assert as_json(brain)["isolated"] == dict.fromkeys(["observed", "null_mean", "z", "p"])
    assert "No modules to test" in summary(brain)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"permutation": 1}, "permutations"),
        ({"permutations": 0}, "permutations"),
        ({"k_range": (1, 5)}, "k_range"),
        ({"k_range": (6, 5)}, "k_range"),
        ({"neighbourhood": "6"}, "neighbourhood"),
        ({"neighbourhood": -1.0}, "neighbourhood"),
        ({"clustering": "k-means"}, "clustering"),
        ({"active_threshold": 2}, "active_threshold"),
    ],
)
def test_bad_settings(values, message):
    with pytest.raises(InputError, match=message) as error:
        AnalysisSpec(**values)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("given", "kept"), [("4", "4"), (8, "8"), (8.0, 8.0), (1.5, 1.5)])
def test_whole_numbers_name_neighbourhoods_and_decimals_are_radii(given, kept):
    value = AnalysisSpec(neighbourhood=given).neighbourhood
    assert value == kept
    assert type(value) is type(kept)


def test_json_is_strict_and_says_what_the_dataset_says():
    brain = brain_dataset()
    result = json.loads(json.dumps(as_json(brain), allow_nan=False))
    assert result["accuracy"] == 1
    assert result["accuracy_ceiling"] == pytest.approx(0.925)
    assert result["accuracy_per_task"] == dict.fromkeys(TASKS, 1)
    assert result["active"] == int(brain.active.sum())
    assert result["clusters"] == 4
    assert result["connection_cost"] is None
    assert result["sparsity"] == float(brain.sparsity[0])
    for name in ("isolated", "cluster_size"):
        expected = brain.sel(statistic=name).isel(member=0)
        assert set(result[name]) == {"observed", "null_mean", "z", "p"}
        assert all(value == float(expected[key]) for key, value in result[name].items())


def test_json_of_several_networks_has_their_means_and_each_of_them():
    # A mean of p-values is not one, so p and z stay with the single networks.
    brain = brain_dataset(members=2)
    result = as_json(brain)
    assert result["accuracy"] == 0.5
    assert [one["accuracy"] for one in result["members"]] == [1, 0]
    observed = float(brain.observed[:, 0].mean())
    assert result["isolated"]["observed"] == pytest.approx(observed)
    assert (result["isolated"]["z"], result["isolated"]["p"]) == (None, None)
    assert result["members"][0]["isolated"]["p"] == float(brain.p[0, 0])
    assert result["connection_cost"] is None
    assert as_json(brain.isel(member=[1])) == result["members"][1]


def test_the_table_shows_every_number_a_reader_needs():
    text = summary(brain_dataset(members=2))
    for task in (*TASKS, "mean"):
        assert f"\n{task} " in text
    assert "network 0: " in text
    assert "network 1: " in text
    assert text.count("36 of 64 neurons active, 4 modules") == 2
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("p", "verdict"),
    [
        ([0.01, 0.01], "is more modular in space than chance by both"),
        ([0.2, 0.01], "is more modular in space than chance by its average cluster size only"),
        ([0.05, 0.9], "is not more modular in space than chance"),
    ],
)
def test_the_verdict_follows_the_p_values(p, verdict):
    brain = brain_dataset()
    brain["p"] = xr.DataArray([p], dims=("member", "statistic"))
    assert verdict in summary(brain)
