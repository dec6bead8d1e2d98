"""What would not fit into memory is refused before any of it is taken."""

import resource

import numpy as np
import pytest

import brainrnn as br
from brainrnn.analysis import check_analysis, graph_test
from brainrnn.errors import InputError
from brainrnn.memory import memory, require_memory
from brainrnn.networks import MLPNetwork, RNNNetwork, TransformerNetwork
from brainrnn.runs.experiment import Experiment, build_network, load_experiment, load_suite
from brainrnn.study import conduct
from tasks import cog20, formulas, groups, in_context, two_moons
from tests.study.small import small_study

SPECS = [
    (RNNNetwork(shape=[3, 4]), cog20()),
    (RNNNetwork(shape=[7], geometry="line", cell="gru", members=2), cog20(names=["go", "dm1"])),
    (MLPNetwork(hidden=[5, 3]), two_moons()),
    (MLPNetwork(hidden=[], members=3), two_moons()),
    (MLPNetwork(hidden=[7], embedding=6), groups(["addition"], size=5)),
    (TransformerNetwork(width=6, heads=2, layers=3, expansion=2), in_context(examples=10)),
]


@pytest.mark.parametrize(("spec", "task"), SPECS, ids=lambda x: getattr(x, "kind", ""))
def test_the_weights_of_a_network_are_counted_before_it_is_built(spec, task):
    net = build_network(spec, task, seed=0)
    assert spec.members * spec.weights(task) == sum(p.numel() for p in net.parameters())


def test_what_fits_is_not_refused():
    require_memory(memory(), "all of it", "")
    with pytest.raises(InputError, match=r"more would take about .* GiB of memory, .*: use less"):
        require_memory(memory() + 1, "more", "use less")


def test_the_limit_of_the_process_counts():
    before = resource.getrlimit(resource.RLIMIT_AS)
    lower = memory() - 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (lower, before[1]))
        assert memory() == lower
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["network.shape=[1000000000]"], "weights would take about .* GiB .* fewer neurons"),
        (["network.shape=[100000, 100000]"], "weights would take"),
        (["network.members=10000", "network.shape=[40, 40]"], "10,000 networks of .* weights"),
        (["training.batch=1000000000"], "1,000,000,000 trials of .*: lower training.batch"),
        (["training.evaluation_trials=1000000000"], "lower training.evaluation_trials"),
        (["analysis.trials=1000000000"], "lower analysis.trials"),
        (["analysis.accuracy_trials=1000000000"], "lower analysis.accuracy_trials"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_size(overrides, words, tmp_path):
    experiment = load_experiment("quick", overrides)
    before = _peak()
    with pytest.raises(InputError, match=words):
        br.Run.create(tmp_path / "run", experiment)
    assert _peak() - before < 2**28
    assert not (tmp_path / "run").exists()


def test_permutations_and_swaps_and_places(monkeypatch):
    suite = cog20(names=["go", "dm1"])
    net = br.RNN.for_suite(suite, sites=br.grid(3, 3))
    task = two_moons()
    large = br.MLP.on_lines(2, 2, br.MLPSpec(hidden=(3000,)))
    monkeypatch.setattr("brainrnn.memory.memory", lambda: 10**8)
    spec = br.AnalysisSpec(k_range=(2, 4), permutations=10**6)
    with pytest.raises(InputError, match=r"lower analysis\.permutations"):
        check_analysis(net, suite, spec)
    with pytest.raises(InputError, match=r"3,000 neurons .* set method\.swap\.algorithm=none"):
        br.train(large, task, steps=1, progress=False)
    with pytest.raises(InputError, match="places of 5,000,000 neurons"):
        RNNNetwork(shape=[5_000_000], geometry="line", distance="numpy:hypot")


@pytest.mark.parametrize(
    "make",
    [
        lambda: formulas(["sharing"], train=10**10),
        lambda: two_moons(test=10**10),
        lambda: in_context(examples=10**6, pairs=10**6),
        lambda: cog20(dt=1e-9).sample(1, np.random.default_rng(0)),
        lambda: cog20().sample(10**9, np.random.default_rng(0), task=np.zeros(1)),
    ],
)
def test_tasks_too(make):
    with pytest.raises(InputError):
        make()


def test_a_fixed_set_of_examples_has_no_batch_too_large():
    experiment = Experiment(
        task={"suite": "two_moons"},
        network={"kind": "mlp", "hidden": [3]},
        training={"batch": 10**9, "steps": 1},
    )
    task = load_suite(experiment.task)
    net = build_network(experiment.network, task, seed=0)
    assert len(br.train(net, task, steps=1, batch=10**9, progress=False)) == 1


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ({"kind": "lesions", "draws": 10**9}, r"random sets .* lower measure\.draws"),
        ({"kind": "lesions", "trials": 10**9}, r"lower measure\.trials"),
        ({"kind": "robustness", "draws": 10**9}, r"disturbances .* lower measure\.draws"),
        ({"kind": "tradeoff", "trials": 10**9}, r"lower measure\.trials"),
        ({"kind": "resolution", "moment_trials": 10**9}, r"lower measure\.moment_trials"),
        ({"kind": "resolution", "batch": 10**9}, r"lower measure\.batch"),
        ({"kind": "transfer", "tasks": ["dm1"], "old_trials": 10**9}, r"measure\.old_trials"),
    ],
)
def test_what_a_study_measures_is_refused_before_anything_is_trained(measure, words, tmp_path):
    with pytest.raises(InputError, match=words):
        conduct(small_study(measure=measure), tmp_path / "out", progress=False)
    assert not list((tmp_path / "out").glob("networks/*"))


def test_random_graphs_are_refused():
    with pytest.raises(InputError, match=r"random graphs .* compare with fewer"):
        graph_test(np.ones((100, 100)), n=10**9)


@pytest.mark.parametrize(
    ("group", "file"),
    [
        ("0::/job/step", "job/memory.max"),
        ("3:cpu,cpuacct:/\n2:memory:/job/step", "memory/job/memory.limit_in_bytes"),
    ],
)
def test_the_limit_of_a_control_group_counts(group, file, tmp_path, monkeypatch):
    """A job of a cluster has a share of the machine, of either version of control groups."""
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("123456789\n")
    (tmp_path / "own").write_text(f"{group}\n")
    monkeypatch.setattr("brainrnn.memory._OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr("brainrnn.memory._GROUPS", tmp_path)
    assert memory() == 123456789
