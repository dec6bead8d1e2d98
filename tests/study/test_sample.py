"""Points drawn from distributions: what is drawn, again and again the same, and its dataset."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, qmc

from brainrnn.config import as_toml, build, read_toml
from brainrnn.errors import InputError
from brainrnn.streams import Stream, generator
from brainrnn.study import Study, make_sweep, results
from brainrnn.study.answers import Answers
from brainrnn.study.distributions import Distribution
from brainrnn.study.measures import SweepMeasure
from brainrnn.study.sample import Sample
from tests.commands import brainrnn, one_line
from tests.study.test_sweep import SMALL, networks

SPACE = {
    "method.strength": "loguniform(1e-5, 1e-3)",
    "method.locality": "uniform(0, 4)",
    "training.steps": "integers(3, 5)",
    "network.activation": "choice(relu, tanh)",
}
WRITTEN = tuple(f"{key}={text}" for key, text in SPACE.items())


@given(st.floats(0, 1), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_values_of_a_distribution(share, low, width):
    high = low + width
    value = Distribution.parse(f"uniform({low!r}, {high!r})").at(share)
    assert low <= value <= high
    assert value == pytest.approx(low + share * (high - low), rel=1e-5, abs=1e-5 * (high - low))
    value = Distribution.parse(f"loguniform({width!r}, {2 * width!r})").at(share)
    assert value == pytest.approx(width * 2**share, rel=1e-5)
    counted = Distribution.parse("integers(-2, 7)").at(share)
    assert counted == min(max(int(np.ceil(share * 10)) - 3, -2), 7)
    assert Distribution.parse("choice(a, b, c)").at(share) == "abc"[min(int(3 * share), 2)]


def test_a_distribution_is_written_as_it_is_read():
    for text in (*SPACE.values(), "choice([4, 4], [5, 5])", "choice({ every = 5 }, none, true, 1)"):
        one = Distribution.parse(text)
        assert Distribution.parse(str(one)) == one
    assert Distribution.parse("choice([4, 4], [5, 5])").values == ([4, 4], [5, 5])
    assert Distribution.parse("choice({ every = 5 }, 'a', true)").values == (
        {"every": 5},
        "a",
        True,
    )


def drawn(**changes):
    return pd.DataFrame(Sample(**{"points": 64, "space": SPACE, **changes}).settings())


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_one_seed_gives_one_sample_and_fewer_points_are_its_first(sampler):
    one = drawn(sampler=sampler, seed=3)
    pd.testing.assert_frame_equal(one, drawn(sampler=sampler, seed=3))
    pd.testing.assert_frame_equal(one[:5], drawn(sampler=sampler, seed=3, points=5))
    assert (one["method.strength"] != drawn(sampler=sampler, seed=4)["method.strength"]).all()
    assert one.point.tolist() == list(range(64))


def test_random_points_are_numpys():
    shares = generator(3, Stream.POINTS).random((1000, 4))
    one = drawn(sampler="random", seed=3, points=1000)
    np.testing.assert_allclose(one["method.strength"], 10 ** (2 * shares[:, 0] - 5), rtol=1e-5)
    np.testing.assert_allclose(one["method.locality"], 4 * shares[:, 1], rtol=1e-5)
    assert kstest(np.log10(one["method.strength"]), "uniform", (-5, 2)).pvalue > 0.01
    counts = one["training.steps"].value_counts()
    assert set(counts.index) == {3, 4, 5}
    assert counts.min() > 280
    assert set(one["network.activation"]) == {"relu", "tanh"}


def test_sobol_points_fill_the_space_more_evenly():
    def discrepancy(sampler):
        one = drawn(sampler=sampler)
        shares = [np.log10(one["method.strength"]) / 2 + 2.5, one["method.locality"] / 4]
        return qmc.discrepancy(np.stack(shares, axis=1))

    assert discrepancy("sobol") < discrepancy("random") / 3
    halves = drawn(sampler="sobol")["method.locality"] < 2  # of a power of two: exactly half
    assert halves.sum() == 32


def test_every_point_is_a_network_of_each_seed():
    study = make_sweep("quick", [*WRITTEN, "seeds=2"], sample="sobol", points=8, point_seed=5)
    cells = study.cells()
    assert [cell.name for cell in cells[:2]] == ["sweep-0-0", "sweep-1-0"]
    assert len({cell.training for cell in cells}) == 16
    points = drawn(sampler="sobol", points=8, seed=5).to_dict("records")
    for cell in cells:
        assert cell.setting == points[cell.setting["point"]]
        assert cell.experiment.method.strength == cell.setting["method.strength"]
        assert cell.experiment.training.steps == cell.setting["training.steps"]
        assert cell.experiment.network.activation == cell.setting["network.activation"]


def test_the_plan_of_a_sample_survives_its_file(tmp_path):
    study = make_sweep("quick", WRITTEN, sample="random", points=3)
    (tmp_path / "study.toml").write_text(as_toml(study))
    again = build(Study, read_toml(tmp_path / "study.toml"))
    assert again == study
    assert [c.setting for c in again.cells()] == [c.setting for c in study.cells()]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    out = tmp_path_factory.mktemp("samples")
    keys = [*WRITTEN[:2], WRITTEN[3]]
    status, _, errors = brainrnn(
        *("sweep", "quick", *keys, "seeds=2", *SMALL, "--sample", "sobol", "--points", "4"),
        *("--out", out, "--on", "serial", "--quiet"),
    )
    assert (status, errors) == (0, "")
    return out / "sweep"


def test_the_dataset_of_a_sample_has_points(sampled):
    found = xr.load_dataset(sampled / "results.nc")
    assert dict(found.sizes) == {"point": 4, "seed": 2}
    keys = ["method.strength", "method.locality", "network.activation"]
    assert {str(c) for c in found.coords} == {"point", "seed", *keys}
    rows = Answers.read(sampled).networks
    assert len(rows) == 8
    for row in rows.to_dict("records"):
        one = found.sel(point=row["point"], seed=row["seed"])
        for name in (*keys, "accuracy", "wiring_length", "modules"):
            assert one[name].item() == row[name]
    assert found.identical(results(sampled))


def test_the_report_of_a_sample(sampled):
    assert {path.name for path in (sampled / "figures").glob("*.png")} == {
        *("scatter_strength.png", "scatter_locality.png", "scatter_activation.png"),
        *("parallel.png", "pareto.png"),
    }
    page = (sampled / "README.md").read_text(encoding="utf-8")
    assert "--sample sobol --points 4" in page
    table = pd.read_csv(sampled / "each_setting.csv")
    assert table.point.tolist() == [0, 1, 2, 3]
    assert (table.seeds == 2).all()


def test_rank_correlations_are_over_points():
    rng = np.random.default_rng(0)
    x, noise = rng.random(40), rng.normal(0, 0.05, 40)
    rows = networks(
        **{
            "point": np.tile(np.arange(20), 2),
            "a.x": np.tile(x[:20], 2),
            "b.word": np.tile(["p", "q"], 20),
            "seed": np.repeat([0, 1], 20),
            "accuracy": np.tile(x[:20], 2) ** 3 + noise,
        }
    )
    found = SweepMeasure().findings(rows)
    table = found.tables["Rank correlations"].set_index("quantity")
    assert list(table) == ["a.x"]
    mean = rows.groupby("point")[["a.x", "accuracy"]].mean().rank()
    expected = np.corrcoef(mean["a.x"], mean["accuracy"])[0, 1]
    assert table.loc["accuracy", "a.x"] == pytest.approx(expected)
    dots = found.figures["scatter_x"][0].axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(dots, rows[["a.x", "accuracy"]])
    axis = found.figures["scatter_word"][0].axes[0]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["p", "q"]
    assert len(found.figures["parallel"][0].axes[0].lines) == 20 + 4  # keys and goals


@pytest.mark.parametrize(
    ("assignment", "options", "words"),
    [
        ("loguniform(0, 1)", {}, "method.strength: .*above 0"),
        ("uniform(1, 1)", {}, "must be below"),
        ("uniform(1)", {}, "needs two numbers"),
        ("uniform(a, b)", {}, "needs two numbers"),
        ("integers(1, 2.5)", {}, "two whole numbers"),
        ("choice()", {}, "needs values"),
        ("choice(1, 1)", {}, "must differ"),
        ("uniform(-1, 1)", {}, "method.strength: .*greater than or equal to 0"),
        ("choice(a, b)", {}, "method.strength: .*valid number"),
        ("uniform(0, 1", {}, "no distribution"),
        ("unifrom(0, 1)", {}, "did you mean 'uniform'"),
        ("uniform(0, 1)", {"points": 0}, "--points must be at least 1, got 0"),
        ("uniform(0, 1)", {"points": None}, "--sample needs --points"),
        ("uniform(0, 1)", {"sample": None}, "--points is for"),
        ("uniform(0, 1)", {"sample": None, "points": None}, "is a distribution: add --sample"),
        ("uniform(0, 1)", {"search": "accuracy"}, "--sample or --search, not both"),
        ("uniform(0, 1)", {"at_once": 2}, "--at-once is for a --search"),
        ("[0, 1]", {}, r"write method.strength=choice\(0, 1\)"),
        ("0.5", {}, "nothing is drawn"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(assignment, options, words):
    given = {"sample": "sobol", "points": 4} | options
    with pytest.raises(InputError, match=words) as caught:
        make_sweep("quick", [f"method.strength={assignment}"], **given).cells()
    assert "\n" not in str(caught.value)


def test_a_grid_and_a_sample_do_not_mix_in_one_study():
    plan = make_sweep("quick", WRITTEN, sample="random", points=3).model_dump(mode="json")
    plan["experiment"] = {}
    plan["methods"]["grid"] = {"label": "grid", "sweep": {"method.strength": [0, 1]}}
    with pytest.raises(InputError, match="grid has a grid, sweep a sample"):
        build(Study, plan)
    del plan["methods"]["grid"]
    plan["methods"]["sweep"]["sweep"] = {"method.strength": [0, 1]}
    with pytest.raises(InputError, match="a sweep or a sample, not both"):
        build(Study, plan)


def test_a_refused_sample_leaves_nothing(tmp_path):
    options = ("--sample", "sobol", "--points", "2", "--out", tmp_path)
    one_line(brainrnn("sweep", "quick", "method.strength=uniform(-1, 1)", *options), "strength")
    assert not list(tmp_path.iterdir())
