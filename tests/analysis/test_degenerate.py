"""What cannot be tested is said in words: nothing is divided by zero, and nothing is made up."""

import warnings

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.analysis import as_json, map_statistics, permutation_test, statistics_table, summary
from brainrnn.errors import InputError
from tasks import cog20

SUITE = cog20(names=["go", "dm1"])
SPEC = br.AnalysisSpec(trials=4, accuracy_trials=2, permutations=20, k_range=(2, 3))


def network(shape=(3, 3), active=None, suite=SUITE, members=1):
    """Recurrent neurons that follow inputs of their own, the first few of them or all."""
    net = br.RNN.for_suite(suite, sites=br.grid(*shape), members=members)
    if active is not None:
        with torch.no_grad():
            net.w_rec.zero_()
            net.w_in[:, active:] = 0
    return net


def analysed(net, suite=SUITE, spec=SPEC):
    """The analysis, its words and its statistics, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        brain = br.analyse(net, suite, spec)
        as_json(brain)
        statistics = map_statistics(brain, permutations=20, graphs=5)
        return brain, summary(brain), statistics_table(statistics)


def test_no_active_neuron():
    _, words, statistics = analysed(network(active=0))
    assert "0 of 9 neurons active" in words
    assert words.endswith("No modules to test: no neuron is active.")
    assert statistics == "Nothing to test: fewer than 3 neurons are active."


@pytest.mark.parametrize("net", [network((1, 1)), network(active=1)], ids=["of one", "of nine"])
def test_one_active_neuron(net):
    brain, words, statistics = analysed(net)
    assert int(brain.active.sum()) == 1
    assert words.endswith("No modules to test: one neuron is active.")
    assert statistics == "Nothing to test: fewer than 3 neurons are active."


def test_two_active_neurons_have_one_arrangement():
    brain, words, _ = analysed(network(active=2))
    assert int(brain.clusters[0]) == 2
    assert words.endswith("it is the same wherever the active neurons are.")
    assert brain.p.values.tolist() == [[1, 1]]


def test_more_modules_than_active_neurons():
    with pytest.raises(InputError, match="cannot form k = 5 modules: no network has that many"):
        br.analyse(network(active=2), SUITE, br.AnalysisSpec(**SPEC.model_dump() | {"k": 5}))
    spec = br.AnalysisSpec(**SPEC.model_dump() | {"k_range": (5, 8)})
    brain, words, _ = analysed(network(active=2), spec=spec)
    assert int(brain.clusters[0]) == 1
    assert "too few active neurons differ" in words


def test_equal_activity_everywhere():
    net = network(active=9)
    with torch.no_grad():
        net.w_in[:] = 0.1
    brain, words, statistics = analysed(net)
    assert int(brain.active.sum()) == 9
    assert words.endswith("No modules to test: all active neurons take part in the tasks alike.")
    assert "A dash:" in statistics


def test_one_task():
    suite = cog20(names=["go"])
    _, words, _ = analysed(network(suite=suite), suite)
    assert "neurons differ in the tasks they take part in, and there is one" in words


def test_one_module_that_is_given():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        brain = br.analyse_recorded(positions=br.grid(3, 3).numpy(), modules=["V1"] * 9, spec=SPEC)
    assert "No modules to test: all active neurons are in one." in summary(brain)


def test_all_sites_occupied_or_one_alone():
    place = br.grid(3, 3).numpy()
    alone = np.arange(9) == 4
    for active in (np.ones(9, bool), alone):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            brain = br.analyse_recorded(
                positions=place, modules=np.arange(9) % 2, active=active, spec=SPEC
            )
        assert "not more modular" in summary(brain) or "one neuron is active" in summary(brain)


def test_a_statistic_that_is_always_infinite_says_nothing():
    test = permutation_test(
        {"path": lambda labels: torch.full((len(labels),), torch.inf)},
        [0, 1, 2],
        n=20,
        alternative="two-sided",
    )
    assert float(test.p[0]) == 1


@pytest.mark.parametrize("size", [1e4, 1e30], ids=["to infinity", "in its variance"])
def test_activity_that_overflows_is_one_line(size):
    net = network()
    with torch.no_grad():
        net.w_rec.fill_(0 if size == 1e30 else size)
        net.w_in.fill_(1e25 if size == 1e30 else 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"overflows, .* lower training\.learning_rate"):
            br.analyse(net, SUITE, SPEC)


@pytest.mark.parametrize(
    ("settings", "names", "words"),
    [
        ({"k": 10}, ["go", "dm1"], r"analysis\.k is 10, and there are 9 neurons"),
        ({"k": 2}, ["go"], "neurons do not differ .* there is one"),
        ({"k_range": (10, 12)}, ["go", "dm1"], r"begins at 10 modules, and there are 9 neurons"),
    ],
)
def test_settings_that_cannot_work_are_found_before_training(settings, names, words, tmp_path):
    experiment = br.runs.Experiment(
        task={"names": names}, network={"shape": [3, 3]}, analysis=settings
    )
    with pytest.raises(InputError, match=words):
        br.Run.create(tmp_path / "run", experiment)
    assert not (tmp_path / "run").exists()
