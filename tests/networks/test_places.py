"""Sites and distances of the user's own: from a file, or from ``module:function``."""

import sys

import numpy as np
import pytest
import torch

import brainrnn as br
from brainrnn.anatomy import geometry
from brainrnn.config import as_toml, build, override
from brainrnn.errors import InputError
from brainrnn.own import trust
from brainrnn.runs.experiment import Experiment, TaskSpec, build_network, load_suite
from brainrnn.runs.folder import Run
from tests.commands import brainrnn

MODULE = """
import brainrnn as br

def places(*shape):
    return br.sphere(shape[0] * shape[1])

def fixed():
    return [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]

def row(n):
    return br.line(n) * 2

def doubled(a, b):
    return 2 * br.l2(a, b)

def nothing():
    return None

def lopsided(a, b):
    return br.l2(a, b).tril()

def broken(a, b):
    raise RuntimeError("no\\nway")
"""
SITES = np.random.default_rng(0).uniform(size=(6, 2))
APART = geometry.l1(*[torch.from_numpy(SITES)] * 2).numpy()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of the user's with a module and files of numbers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    (tmp_path / "own_places.py").write_text(MODULE)
    trust("own_places")
    np.save("sites.npy", SITES)
    np.savetxt("sites.csv", SITES, delimiter=",", header="x,y", comments="")
    np.save("apart.npy", APART)
    np.savetxt("apart.csv", APART, delimiter=",")
    yield tmp_path
    sys.modules.pop("own_places", None)


def experiment(*assignments: str) -> Experiment:
    return build(Experiment, override({"network": {"shape": [2, 3]}}, assignments))


def network(*assignments: str, task: str = "cog20", names=("go",)):
    spec = experiment(*assignments).network
    return build_network(spec, load_suite(TaskSpec(suite=task, names=names)), seed=0)


@pytest.mark.parametrize("file", ["sites.npy", "sites.csv"])
def test_sites_from_a_file(folder, file):
    spec = experiment(f"network.geometry={file}", "network.shape=[20, 20]").network
    assert spec.shape == (6,)
    hidden = network(f"network.geometry={file}").anatomy.populations["hidden"]
    assert np.array_equal(hidden.sites, SITES)


def test_sites_from_a_function(folder):
    net = network("network.geometry=own_places:places", "network.distance=great_circle")
    assert torch.equal(net.anatomy.populations["hidden"].sites, br.sphere(6))
    net = network("network.geometry=own_places:fixed")
    assert net.anatomy.populations["hidden"].sites.tolist() == [[0, 0], [1, 0], [0, 2]]


@pytest.mark.parametrize("file", ["apart.npy", "apart.csv"])
def test_a_distance_from_a_file(folder, file):
    net = network(f"network.distance={file}")
    assert np.array_equal(net.anatomy.site_distances("hidden", "hidden"), APART)


def test_a_distance_from_a_function_is_that_of_python(folder):
    net = network("network.distance=own_places:doubled", "network.geometry=sites.npy")
    suite = load_suite(TaskSpec(names=["go"]))
    same = br.RNN.for_suite(suite, sites=SITES, distance=lambda a, b: 2 * br.l2(a, b))
    for one in (net, same):
        one.anatomy.move("hidden", torch.tensor([[3, 1, 2, 0, 5, 4]]))
    assert torch.equal(net.anatomy.length("w_rec"), same.anatomy.length("w_rec"))
    matrix = br.RNN.for_suite(suite, sites=SITES, distance=APART)
    assert np.array_equal(matrix.anatomy.site_distances("hidden", "hidden"), APART)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("network.geometry=absent.csv", ["network.geometry", "cannot read absent.csv: No such"]),
        ("network.geometry=gird", ["did you mean 'grid'?", "module:function"]),
        ("network.geometry=own_places:nothing", ["own_places:nothing: sites must be numbers"]),
        ("network.geometry=own_places:nix", ["own_places.py has no function 'nix'"]),
        ("network.geometry=nan.csv", ["nan.csv holds nan in row 2, column 1"]),
        ("network.geometry=words.csv", ["words.csv is not a table of numbers", "'one,two'"]),
        ("network.geometry=empty.csv", ["holds no row"]),
        ("network.geometry=uneven.csv", ["its first row has 2 numbers, row 3 has 1"]),
        ("network.geometry=flat.npy", ["flat.npy has the shape (3,)"]),
        ("network.geometry=complex.npy", ["complex.npy is not a table of real numbers"]),
        ("network.geometry=damaged.npy", ["damaged.npy is not a table of numbers: it is damaged"]),
        ("network.geometry=data:application/x-npy;base64,x", ["the stored text is not a table"]),
        ("network.distance=sites.npy", ["sites.npy: the distance matrix must be 6 x 6"]),
        ("network.distance=l3", ["did you mean 'l2'?", "module:function"]),
        ("network.distance=own_places:lopsided", ["must be symmetric"]),
        ("network.distance=own_places:broken", ["RuntimeError: no way (own_places.py, line 23)"]),
        ("network.distance=negative.npy", ["negative.npy: ", "negative"]),
    ],
)
def test_what_is_wrong_is_one_line(folder, assignment, words):
    (folder / "nan.csv").write_text("0,1\nnan,1\n")
    (folder / "words.csv").write_text("x,y\n1,2\none,two\n")
    (folder / "empty.csv").write_text("x,y\n")
    (folder / "uneven.csv").write_text("x,y\n1,2\n3,4\n5\n")
    (folder / "damaged.npy").write_text("no array")
    np.save("flat.npy", np.arange(3.0))
    np.save("complex.npy", SITES * 1j)
    np.save("negative.npy", -APART)
    with pytest.raises(InputError) as refused:
        experiment(assignment)
    message = str(refused.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_run_needs_its_files_no_more(folder):
    """The configuration in the run folder holds the numbers."""
    chosen = experiment(
        "network.geometry=sites.csv",
        "network.distance=own_places:doubled",
        "task.names=['go']",
        "training.steps=2",
        "training.batch=4",
        "method.swap.every=1",
    )
    Run.create("run", chosen)
    for file in folder.glob("*.*"):
        file.unlink()
    sys.modules.pop("own_places")
    status, _, errors = brainrnn("resume", "run", "--quiet")
    assert status == 0, errors
    again = Run.open("run")
    assert again.experiment == chosen
    assert again.finished
    assert np.array_equal(again.net.anatomy.populations["hidden"].sites, SITES)
    distances = again.net.anatomy.site_distances("hidden", "hidden")
    assert torch.equal(distances, 2 * br.l2(*[torch.from_numpy(SITES)] * 2))


def test_stored_sites_cannot_be_given_another_shape(folder):
    values = experiment("network.geometry=sites.npy").model_dump(exclude_none=True)
    assert build(Experiment, override(values, [])).network.shape == (6,)
    with pytest.raises(InputError, match=r"has 6 sites of its own, which shape \[3\] cannot"):
        build(Experiment, override(values, ["network.shape=[3]"]))


PERCEPTRON = ("network={kind='mlp',hidden=[6]}",)


def test_layers_of_a_perceptron_on_sites_of_ones_own(folder):
    layout = "network.layout={h1='own_places:row',out='row.csv'}"
    np.savetxt("row.csv", [[0.2], [0.8]], delimiter=",")
    net = network(*PERCEPTRON, layout, task="two_moons", names=None)
    populations = net.anatomy.populations
    assert torch.equal(populations["h1"].sites, 2 * br.line(6))
    assert populations["out"].sites.tolist() == [[0.2], [0.8]]
    assert torch.equal(populations["input"].sites, br.line(2))
    assert populations["input"].movable
    assert "own_places" not in as_toml(experiment(*PERCEPTRON, layout))
    np.savetxt("row.csv", [[0.2], [0.8]], delimiter=",")
    net = network(*PERCEPTRON, "network.layout.input=row.csv", task="two_moons", names=None)
    assert not net.anatomy.populations["input"].movable


def test_distances_of_a_perceptron(folder):
    random = np.random.default_rng(0).uniform(1, 2, (10, 10))
    matrix = np.triu(random, 1) + np.triu(random, 1).T
    np.save("all.npy", matrix)
    net = network(*PERCEPTRON, "network.distance=all.npy", task="two_moons", names=None)
    assert np.array_equal(net.anatomy.site_distances("out", "h1"), matrix[8:, 2:8])
    net = network(*PERCEPTRON, "network.distance=l2", task="two_moons", names=None)
    assert net.anatomy.distance is br.l2


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("network.layout=circles", ["network.layout: unknown layout 'circles'"]),
        ("network.layout.h2=sites.csv", ["unknown population 'h2'"]),
        ("network.layout.h1=sites", ["'sites' is no geometry"]),
        ("network.layout.input=sites.csv", ["'input' has 2 neurons, but 6 sites"]),
        ("network.layout.h1=sites.csv", ["'h1' in 2 dimensions to 'input' in 1"]),
        ("network.distance=own_places:doubled", ["a recurrent network only", "in Python"]),
        ("network.distance=apart.npy", ["must be 10 x 10"]),
    ],
)
def test_a_perceptron_that_cannot_be_built_is_refused_in_one_line(folder, assignment, words):
    with pytest.raises(InputError) as refused:
        network(*PERCEPTRON, assignment, task="two_moons", names=None)
    assert all(word in str(refused.value) for word in words), str(refused.value)
