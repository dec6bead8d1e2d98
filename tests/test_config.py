import pytest

from brainrnn.config import Settings, describe, override
from brainrnn.errors import InputError
from brainrnn.networks import MLPNetwork, RNNNetwork, TransformerNetwork
from brainrnn.runs.experiment import (
    Experiment,
    TaskSpec,
    build,
    build_network,
    load_experiment,
)
from brainrnn.study.plan import Study
from tasks import cog20

CONFIG = "seed = 3\n[network]\nshape = [6, 5]\n[method.swap]\nevery = 7\n"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "experiment.toml"
    file.write_text(CONFIG)
    return file


def test_file_then_overrides_then_defaults(path):
    experiment = load_experiment(
        path, ["method.swap.top_k=30", "method.strength=[1e-4, 2e-4]", "network.cell=gru"]
    )
    assert experiment.seed == 3
    assert experiment.network.shape == (6, 5)
    assert (experiment.method.swap.every, experiment.method.swap.top_k) == (7, 30)
    assert experiment.method.strength == (1e-4, 2e-4)
    assert experiment.network.cell == "gru"
    assert experiment.training == Experiment().training


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "method.localty=1",
            "unknown configuration key 'method.localty': did you mean 'method.locality'",
        ),
        ("metod.locality=1", "did you mean 'method'"),
        ("method.swap.evry=1", "did you mean 'method.swap.every'"),
        ("training.steps=many", "training.steps: .*integer.*got 'many'"),
        ("training.steps=0", "training.steps: .*greater than or equal to 1, got 0"),
        ("training.learning_rate=nan", "training.learning_rate: .*finite number, got nan"),
        ("method.strength=-1", "method.strength: .*greater than or equal to 0, got -1"),
        ("network.shape=[0, 3]", "network.shape: .*got 0"),
        ("network.activation=sigmoid", "network.activation: .*'relu'.*got 'sigmoid'"),
        ("network=3", "network: .*got 3"),
        ("network.shape=5x5", "network.shape: expected a list in square brackets, got '5x5'"),
        ("task.names=go", "task.names: expected a list in square brackets, got 'go'"),
        ("device=gpu", "device cannot be 'gpu': it says where to train: cpu, cuda, cuda:1"),
        ("network.geometry=none.csv", "cannot read none.csv: No such file or directory$"),
        ("training.steps", "write section.key=value"),
        (".steps=3", "write section.key=value"),
    ],
)
def test_bad_overrides_are_one_line(path, override, message):
    with pytest.raises(InputError, match=message) as raised:
        load_experiment(path, [override])
    assert "\n" not in str(raised.value)


def test_overriding_changes_a_copy():
    values = {"a": {"b": {"c": 1}}}
    assert override(values, ["a.b.c=2", "a.b.d=x"]) == {"a": {"b": {"c": 2, "d": "x"}}}
    assert values == {"a": {"b": {"c": 1}}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no configuration file"),
        (b"seed = [", "not valid TOML"),
        (b"\xff\xfe", "not a text file"),
    ],
)
def test_bad_files_are_one_line(tmp_path, content, message):
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        load_experiment(path)
    assert "\n" not in str(raised.value)


def test_every_key_is_described_and_valid():
    described = list(describe(Experiment))
    assert all(text for _, _, text in described)
    assert ("method.swap.every", "50") in [(key, default) for key, default, _ in described]
    plain = [entry for entry in described if not entry[0].startswith("network.")]
    for spec in (RNNNetwork, MLPNetwork, TransformerNetwork):
        of_kind = list(describe(spec, "network."))
        nested = [value for _, value in spec() if isinstance(value, Settings)]
        keys = len(spec.model_fields) + sum(len(type(value).model_fields) - 1 for value in nested)
        assert len(of_kind) == keys
        kind = spec().kind
        assert all(entry in described for entry in of_kind)
        defaults = [f"{key}={text}" for key, text, _ in (*plain, *of_kind) if text != "unset"]
        built = build(Experiment, override({"network": {"kind": kind}}, defaults))
        assert built == Experiment(network=spec())


def test_networks_on_every_geometry():
    suite = cog20(names=["go"])
    for geometry, shape, distance in (
        ("grid", (4, 5), "periodic"),
        ("grid", (2, 3, 4), "l1"),
        ("line", (9,), "l1"),
        ("ring", (9,), "l2"),
        ("sphere", (30,), "great_circle"),
    ):
        net = build_network(
            RNNNetwork(geometry=geometry, shape=shape, distance=distance), suite, seed=0
        )
        assert net.anatomy.length("w_rec").max() > 0


def test_the_torus_of_a_grid_that_is_not_square():
    spec = RNNNetwork(shape=(4, 8), distance="periodic")
    net = build_network(spec, cog20(names=["go"]), seed=0)
    # From one corner to the other a torus needs one step in each direction.
    assert float(net.anatomy.length("w_rec")[0, 0, -1]) == pytest.approx(2**0.5 / 8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"geometry": "sphere", "shape": (4, 4)}, "one number"),
        ({"distance": "great_circle"}, "sphere"),
    ],
)
def test_geometries_that_cannot_be(values, message):
    with pytest.raises(InputError, match=message):
        build_network(build(RNNNetwork, values), cog20(names=["go"]), seed=0)


def test_settings_cannot_change():
    with pytest.raises(ValueError, match="frozen"):
        TaskSpec().dt = 20.0


def _unbounded(schema, where=""):
    """Where in a JSON schema a number has no least or no greatest value."""
    if isinstance(schema, list):
        return [one for i, part in enumerate(schema) for one in _unbounded(part, f"{where}.{i}")]
    if not isinstance(schema, dict):
        return []
    least, greatest = ({bound, f"exclusive{bound.title()}"} for bound in ("minimum", "maximum"))
    number = schema.get("type") in ("integer", "number")
    here = [where] if number and not (least & schema.keys() and greatest & schema.keys()) else []
    return here + [
        one for key, part in schema.items() for one in _unbounded(part, f"{where}.{key}")
    ]


@pytest.mark.parametrize("model", [Experiment, Study])
def test_every_number_has_a_range(model):
    assert _unbounded({"x": {"type": "integer", "minimum": 0}}) == [".x"]
    assert _unbounded(model.model_json_schema()) == []
