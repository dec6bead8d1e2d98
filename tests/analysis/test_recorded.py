"""Analysis of what was recorded elsewhere: planted maps, arrays of every kind, and bad input."""

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.metrics import adjusted_rand_score

import brainrnn as br
from brainrnn.analysis import (
    AnalysisSpec,
    analyse,
    analyse_recorded,
    as_json,
    load,
    map_statistics,
    record,
    robustness,
    save,
    statistics_table,
    summary,
)
from brainrnn.analysis.brain import streams
from tests.analysis.refused import refused
from tests.analysis.synthetic import TASKS, Net, Suite, quadrants, tuned_net

SPEC = AnalysisSpec(k=4, permutations=300)
PLACES, MODULES = quadrants(6)


def recorded(seed=0, members=None, trials=24, time=7):
    """Activity by task in which each quadrant stands out in one task; trials of any length."""
    rng = np.random.default_rng(seed)
    shape = (trials, time, 36) if members is None else (members, trials, time, 36)
    gain = np.where(np.arange(4)[:, None] == MODULES, 1.0, 0.1)
    activity = {task: gain[i] * rng.normal(size=shape) for i, task in enumerate(TASKS)}
    for one in activity.values():
        for trial, end in enumerate(rng.integers(4, time + 1, trials)):
            one[..., trial, end:, :] = np.nan
    return activity


def weights(seed=0, members=()):
    """More and stronger connections between neighbours."""
    gap = np.linalg.norm(PLACES[:, None] - PLACES, axis=2)
    return np.random.default_rng(seed).normal(size=(*members, 36, 36)) * np.exp(-6 * gap)


@pytest.fixture(scope="module")
def brain():
    return analyse_recorded(
        positions=PLACES, activity=recorded(), weights=weights(), spec=SPEC, seed=2
    )


def test_a_planted_map_comes_out_with_every_statistic_as_of_a_network(brain):
    assert adjusted_rand_score(MODULES, brain.module[0]) == 1
    assert (brain.p < 0.01).all()
    assert "36 of 36 neurons active, 4 modules" in summary(brain)
    assert "left out" not in summary(brain)
    statistics = map_statistics(brain, graphs=5)
    assert "left_out" not in statistics.attrs
    net = map_statistics(analyse(tuned_net(MODULES, PLACES), Suite(), SPEC), graphs=5)
    assert statistics.statistic.equals(net.statistic)
    assert set(statistics.data_vars) == set(net.data_vars)
    found = statistics.p[0].to_series()
    assert (found[["join_count", "moran", "distance_similarity", "distance_strength"]] < 0.01).all()


def test_variance_over_trials_under_way_against_loops(brain):
    for task, activity in recorded().items():
        for unit in (0, 17):
            total = count = 0
            for step in range(activity.shape[1]):
                values = [v for v in activity[:, step, unit] if not np.isnan(v)]
                total += len(values) * np.var(values) if values else 0
                count += len(values)
            assert float(brain.task_variance.sel(task=task)[0, unit]) == pytest.approx(
                total / count
            )


def test_it_is_what_analyse_makes_of_what_it_records():
    net = tuned_net(MODULES, PLACES, members=2)
    whole = analyse(net, Suite(), SPEC, seed=5)
    rng = np.random.default_rng(streams(5)[1])
    activity = {t: record(net, Suite(), t, trials=SPEC.trials, rng=rng) for t in TASKS}
    parts = {"positions": PLACES, "weights": net.w_rec, "spec": SPEC, "seed": 5}
    for given in ({"activity": activity}, {"variance": whole.task_variance}):
        again = analyse_recorded(**given, **parts)
        assert set(whole) - set(again) == {"accuracy", "ceiling", "connection_cost"}
        for name in again:
            xr.testing.assert_identical(again[name], whole[name])
    one, two = (map_statistics(b, permutations=30, graphs=3) for b in (whole, again))
    xr.testing.assert_identical(one, two)
    as_list = analyse_recorded(activity=list(activity.values()), **parts)
    np.testing.assert_array_equal(as_list.p, whole.p)
    assert as_list.task.values.tolist() == ["task0", "task1", "task2", "task3"]


def test_labelled_arrays_with_axes_in_any_order_are_the_same(brain):
    names = [f"cell {i}" for i in range(36)]
    activity = {
        task: xr.DataArray(one, dims=("trial", "time", "unit")).transpose("unit", "time", "trial")
        for task, one in recorded().items()
    }
    same = analyse_recorded(
        positions=xr.DataArray(PLACES, dims=("unit", "space"), coords={"unit": names}).T,
        activity=xr.Dataset(activity).to_dataarray("task"),
        weights=torch.from_numpy(weights()),
        spec=SPEC,
        seed=2,
    )
    assert same.unit.values.tolist() == names
    xr.testing.assert_identical(same.drop_vars("unit"), brain)


def test_every_network_is_analysed_by_itself_and_a_part_may_be_shared():
    both = analyse_recorded(
        positions=PLACES, activity=recorded(members=2), weights=weights(members=(2,)), spec=SPEC
    )
    for i in range(2):
        alone = analyse_recorded(
            positions=PLACES,
            activity={task: one[i] for task, one in recorded(members=2).items()},
            weights=weights(members=(2,))[i],
            spec=SPEC,
        )
        xr.testing.assert_identical(alone, both.isel(member=[i]))
    assert as_json(both)["members"][0]["clusters"] == 4


def test_a_value_per_trial_is_activity_without_time():
    activity = {task: one[:, 0] for task, one in recorded().items()}
    brain = analyse_recorded(positions=PLACES, activity=activity, spec=SPEC)
    for i, one in enumerate(activity.values()):
        np.testing.assert_allclose(brain.task_variance[0, :, i], one.var(0))
    assert adjusted_rand_score(MODULES, brain.module[0]) == 1


def test_gaps_of_single_neurons_are_left_out_of_their_variance():
    activity = recorded()
    activity["a"][:12, :, 5] = np.nan
    brain = analyse_recorded(activity=activity, spec=SPEC)
    rest = {"a": activity["a"][12:], "b": activity["b"]}
    kept = analyse_recorded(activity=rest, spec=AnalysisSpec(k=2)).task_variance
    assert float(brain.task_variance[0, 5, 0]) == pytest.approx(float(kept[0, 5, 0]))


def test_named_areas_are_modules_and_units_without_one_are_left_out():
    area = np.array(["V1", "V2", "MT", "IT"])[MODULES]
    area[[0, 35]] = ""
    brain = analyse_recorded(positions=PLACES, modules=area, spec=SPEC)
    numbers = analyse_recorded(
        positions=PLACES, modules=np.where(area == "", -1, MODULES), spec=SPEC
    )
    np.testing.assert_array_equal(brain.active[0], area != "")
    assert brain.label[0].values.tolist() == area.tolist()
    assert adjusted_rand_score(area, brain.module[0]) == 1
    assert np.bincount(brain.module[0][1:-1]).tolist() == [9, 9, 8, 8]
    np.testing.assert_allclose(brain.observed, numbers.observed)
    found = map_statistics(brain)
    assert set(found.statistic.values) == {
        *("isolated", "cluster_size", "join_count", "component_size", "largest_component")
    }
    assert "not given: activity or variance, weights; so left out: moran" in statistics_table(found)
    assert "left out: what needs activity or variance, weights." in summary(brain)
    with refused("robustness needs activity or variance"):
        robustness(brain)


@pytest.mark.parametrize(
    ("given", "statistics"),
    [
        ({"weights": weights()}, {"modularity", "clustering", "path_length", "small_world"}),
        ({"weights": weights(), "positions": PLACES}, {"distance_strength", "small_world_density"}),
        ({"weights": weights(), "modules": MODULES}, {"within_module_weight", "participation"}),
        ({"weights": weights(), "activity": recorded()}, {"strength_similarity", "participation"}),
        (
            {"positions": PLACES, "activity": recorded()},
            {"moran", "moran_a", "distance_similarity"},
        ),
    ],
)
def test_each_statistic_needs_its_parts_alone(given, statistics, brain):
    found = map_statistics(analyse_recorded(**given, spec=SPEC, seed=2), graphs=5)
    assert statistics < set(found.statistic.values)
    assert found.p.notnull().all()
    assert ("length_estimate" in found) == ({"weights", "positions"} <= set(given))
    if "modules" not in given:  # the same nulls as when everything is known
        whole = map_statistics(brain, graphs=5).sel(statistic=found.statistic)
        np.testing.assert_array_equal(found.p, whole.p)


@pytest.mark.parametrize("given", [{"weights": weights()}, {"modules": MODULES}])
def test_what_is_not_known_is_kept_as_such(given, tmp_path):
    brain = analyse_recorded(**given, spec=SPEC)
    save(brain, tmp_path / "brain.nc")
    xr.testing.assert_equal(load(tmp_path / "brain.nc"), brain)
    found = as_json(brain)
    assert found["accuracy"] is None
    assert found["isolated"] == dict.fromkeys(["observed", "null_mean", "z", "p"])
    assert "positions" in summary(brain).splitlines()[-1]


def test_only_active_units_are_looked_at():
    active = np.arange(36) % 5 > 0
    brain = analyse_recorded(positions=PLACES, activity=recorded(), active=active, spec=SPEC)
    np.testing.assert_array_equal(brain.active[0], active)
    np.testing.assert_array_equal(brain.module[0] >= 0, active)


def test_neurons_at_one_place_have_no_lengths():
    places = PLACES.copy()
    places[1] = places[0]
    brain = analyse_recorded(positions=places, weights=weights(), modules=MODULES, spec=SPEC)
    found = map_statistics(brain, graphs=3)
    assert "length_estimate" not in found
    assert "connection lengths" in found.attrs["left_out"]


def test_a_statistic_of_ones_own_stands_in_the_table():
    brain = analyse_recorded(positions=PLACES, modules=MODULES, spec=SPEC)
    own = {"mine": lambda neurons: br.analysis.join_count(neurons.neighbours)}
    found = map_statistics(brain, statistics=own, alternative={"mine": "greater"})
    join_count = found.sel(statistic="join_count").drop_vars(["statistic", "name"])
    xr.testing.assert_equal(
        found.sel(statistic="mine").drop_vars(["statistic", "name"]), join_count
    )
    assert "\nmine " in statistics_table(found)
    with refused("there is a statistic 'moran' already|'join_count' already"):
        map_statistics(brain, statistics={"join_count": own["mine"]})
    with refused("this statistic needs weights, which this analysis was not given"):
        map_statistics(brain, statistics={"w": lambda neurons: neurons.weight})
    with refused("is of modules, which this analysis was not given"):
        map_statistics(analyse_recorded(weights=weights()), statistics=own)


def nan(places):
    return np.where(np.arange(36)[:, None] == 3, np.nan, places)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing to analyse: give activity, variance, modules or weights"),
        ({"positions": PLACES}, "nothing to analyse"),
        ({"positions": nan(PLACES), "modules": MODULES}, "positions of unit 3 hold NaN or inf"),
        (
            {"positions": PLACES[:, 0], "modules": MODULES},
            r"axes \(unit, space\).*got the shape \(36",
        ),
        ({"positions": PLACES[:9], "modules": MODULES}, "positions has 9 units and modules has 36"),
        ({"positions": PLACES, "activity": recorded()["a"]}, "must be a dict .* got one array"),
        ({"positions": PLACES, "activity": {"a": np.ones(36)}}, "activity of task 'a' must have"),
        ({"activity": {"a": np.ones((1, 4, 36))}}, "has 1 trial: a variance needs at least 2"),
        ({"activity": {"a": np.full((9, 4, 36), np.nan)}}, "unit 0 has no value"),
        ({"activity": {"a": np.full((9, 4, 36), np.inf)}}, "a value is infinite"),
        (
            {"activity": {"a": np.ones((9, 36)), "b": np.ones((9, 30))}},
            "'a' has 36 units and .*'b'",
        ),
        ({"activity": {"a": [[1, 2], [3]]}}, "must be one array, got rows of different lengths"),
        ({"activity": recorded(), "variance": np.ones((36, 4))}, "both given"),
        ({"variance": -np.ones((36, 4))}, "below 0"),
        ({"variance": np.ones((3, 4)), "spec": SPEC}, "cannot form k = 4 modules"),
        ({"modules": MODULES + 0.5}, "integers .* or strings"),
        (
            {"modules": [["a"] * 36] * 2, "positions": np.stack([PLACES] * 3)},
            "3 members and mod.* 2",
        ),
        (
            {"weights": np.ones((36, 30))},
            "weights has 36 units and the second axis of weights has 30",
        ),
        ({"weights": weights() * np.inf}, "weights of unit 0 hold NaN"),
        ({"weights": weights(), "active": np.ones(36)}, "active must be True or False"),
        (
            {"variance": xr.DataArray(np.ones((36, 4)), dims=("neuron", "task"))},
            r"variance must have the axes \(unit, task\) .*got the dimensions \('neuron', 'task'\)",
        ),
        (
            {
                "modules": xr.DataArray(MODULES, dims="unit", coords={"unit": np.arange(36)}),
                "weights": xr.DataArray(
                    weights(), dims=("unit", "source"), coords={"unit": np.arange(36)[::-1]}
                ),
            },
            "name different units, or in another order",
        ),
    ],
)
def test_bad_parts_are_one_line(given, message):
    with refused(message):
        analyse_recorded(**given)


def test_there_is_no_statistic_of_modules_alone():
    with refused("pass positions or weights"):
        map_statistics(analyse_recorded(modules=MODULES))


def test_a_network_without_activity_in_time_is_told_what_to_use():
    with refused("a MLP has no activity in time"):
        analyse(br.MLP.on_lines(3, 2, br.MLPSpec(hidden=(4,))), Suite(), SPEC)


def test_networks_with_several_recurrent_populations_are_told_to_record():
    net = Net(np.zeros((1, 36, 4)), PLACES)
    net.anatomy.wiring |= {"other": net.anatomy.wiring["w_rec"]}
    with refused("one population that is wired to itself, and of hidden there are 2"):
        analyse(net, Suite(), SPEC)
