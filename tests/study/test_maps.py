"""The study of the map: what it says of each method, and under other choices of the analysis."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from scipy import stats

from brainrnn.analysis import load
from brainrnn.analysis.map_statistics import STATISTICS
from brainrnn.analysis.space.lengths import MODELS
from brainrnn.plots import plot_map
from brainrnn.plots.style import new_figure
from brainrnn.study import conduct
from brainrnn.study.answers import Answers
from brainrnn.study.drawings.maps import portray, side_by_side
from brainrnn.study.measures import ChoiceMeasure, MapMeasure
from tests.analysis.synthetic import brain_dataset
from tests.study.small import small_study, verdicts


def made(**z: list[float]) -> pd.DataFrame:
    """Rows of networks with given z on both measures, one list per method."""
    return pd.DataFrame(
        [
            {
                "method": method,
                "label": method.upper(),
                "seed": seed,
                "statistic": statistic,
                "alternative": "less",
                "observed": 0.2,
                "z": value + 0.01 * seed,
                "p": 0.0001 if value < -3 else 0.5,
                "accuracy": 0.95,
                "ceiling": 0.98,
                "active": 100 + seed,
                "modules": 8,
                "absent": 0.9,
                "wiring_length": 10.0,
                "mean_length": 0.2,
                "exponent": 2.0,
            }
            | {f"akaike_weight_{model}": 0.2 for model in MODELS}
            | {f"ratio_{model}": -3.0 if model == "exponential" else 3.0 for model in MODELS}
            | {f"ratio_p_{model}": 0.01 if seed else 0.2 for model in MODELS}
            for method, values in z.items()
            for seed, value in enumerate(values)
            for statistic in ("isolated", "cluster_size")
        ]
    )


@pytest.mark.parametrize(
    ("z", "verdict"),
    [
        ([-4, -4, -4, -4, 0], "holds"),
        ([-4, -4, -4, 0, 0], "undecided"),
        ([-4, 0, 0, 0, 0], "fails"),
        ([0.1, 0, -0.2, 0, 0.3], "fails"),
    ],
)
def test_the_verdict_follows_from_the_networks(z, verdict):
    found = MapMeasure().findings(made(bimt=z))
    said = verdicts(found)
    claim = "Both measures are beyond chance (p < 0.001) in at least 80% of networks."
    assert said[claim, "BIMT"] == verdict
    able = "At least 80% of networks reach 95% of the best possible accuracy."
    assert said[able, "BIMT"] == "holds"  # 0.95 of 0.98
    counted = [one.numbers for one in found.claims if one.claim == claim]
    assert counted == [f"{sum(value < -3 for value in z)} of 5"]


def test_accuracy_below_what_is_asked_for_fails():
    rows = made(bimt=[-4, -4, -4])
    said = verdicts(MapMeasure().findings(rows.assign(accuracy=0.9)))
    assert said["At least 80% of networks reach 95% of the best possible accuracy.", "BIMT"] == (
        "fails"
    )


def test_methods_are_compared_by_seed():
    found = MapMeasure().findings(made(l1=[0, -0.5, 0.5], bimt=[-4, -5, -3.5]))
    table = found.tables["Between methods"].set_index("statistic").loc["isolated"]
    assert (table["method"], table["against"], table["n"]) == ("L1", "BIMT", 3)
    assert table["difference"] == pytest.approx(np.mean([4, 4.5, 4]))
    over = found.tables["Over networks"]
    assert set(over[over.method == "BIMT"].p_controlled < 0.05) == {True}
    assert set(over[over.method == "L1"].p_controlled < 0.05) == {False}
    wide = found.tables["Mean z over networks"]
    assert list(wide.columns) == ["statistic", "side", "L1", "BIMT"]


def test_networks_whose_map_is_beyond_chance_are_counted():
    rows = made(l1=[0, 0, 0], bimt=[-4, -4, 0])
    size = (rows.statistic == "cluster_size") & (rows.method == "bimt") & (rows.seed == 0)
    rows.loc[size, "p"] = 0.002
    table = MapMeasure().findings(rows).tables["Each method"].set_index("method")
    counts = table["p < 0.001: isolated, size, both"]
    assert counts.to_dict() == {"L1": "0, 0, 0 of 3", "BIMT": "2, 1, 1 of 3"}


def test_a_star_says_that_the_controlled_p_is_below_5_percent():
    found = MapMeasure().findings(made(l1=[0.5, -0.5, 0.1], bimt=[-4, -5, -3.5]))
    wide = found.tables["Mean z over networks"]
    assert wide.L1.tolist() == ["0.0", "0.0"]
    assert wide.BIMT.tolist() == ["-4.2*", "-4.2*"]
    over = found.tables["Over networks"]
    for row in over.itertuples():
        z = {"L1": [0.5, -0.49, 0.12], "BIMT": [-4, -4.99, -3.48]}[row.method]
        assert row.p_t == pytest.approx(stats.ttest_1samp(z, 0, alternative="less").pvalue)


def test_power_laws_are_rejected_where_a_model_is_better_beyond_chance():
    lengths = MapMeasure().findings(made(bimt=[-4, -4, -4])).tables["Connection lengths"].iloc[0]
    assert lengths["power law rejected for exponential"] == "2 of 3"
    assert lengths["power law rejected for lognormal"] == "0 of 3"


def test_networks_that_are_the_same_are_asked_once():
    """Statistics that do not look at places do not change when neurons are placed afterwards."""
    rows = made(l1=[-1, -2, -1.5], bimt=[0.5, 1, -1])
    placed = rows[rows.method == "l1"].assign(method="placed", label="placed")
    alone, both = (
        MapMeasure().findings(some).tables["Over networks"].set_index(["method", "statistic"])
        for some in (rows, pd.concat([rows, placed]))
    )
    assert alone.p_controlled.tolist() == pytest.approx(holm_by_hand(alone.p_t))
    assert both.p_controlled["L1"].tolist() == alone.p_controlled["L1"].tolist()
    assert both.p_controlled["placed"].tolist() == alone.p_controlled["L1"].tolist()


def holm_by_hand(p: pd.Series) -> list[float]:
    """Four tests; those of the two measures are the same here, and each is asked."""
    low, high = sorted(set(p))
    return [4 * low if value == low else min(1, 2 * high) for value in p]


def test_choices_and_maps_of_the_same_networks(tmp_path):
    """The combination that the study was analysed with gives the study's own numbers."""
    maps = small_study(seeds=[1])
    conduct(maps, tmp_path, progress=False)
    rows = Answers.read(tmp_path / "small").rows
    moran = [f"moran_{task}" for task in ("go", "anti", "dm1")]
    assert set(rows.statistic) == {*STATISTICS, *moran}
    brain = load(tmp_path / "small" / "networks" / "bimt-1.nc")
    own = rows[rows.method == "bimt"].set_index("statistic")
    for name in ("isolated", "cluster_size"):
        assert own.z[name] == pytest.approx(float(brain.z.sel(statistic=name)[0]), nan_ok=True)
    measure = {"kind": "choices", "ks": [2, 3], "thresholds": [0.01, 0.1], "neighbourhoods": [1.5]}
    conduct(small_study(seeds=[1], name="choices", measure=measure), tmp_path, progress=False)
    choices = Answers.read(tmp_path / "choices").rows
    same = choices[
        (choices.rule == "silhouette")
        & (choices.threshold == 0.01)
        & (choices.clustering == "kmeans")
        & (choices.method == "bimt")
    ].set_index("statistic")
    for name in ("isolated", "cluster_size"):
        assert same.p[name] == pytest.approx(own.p[name], nan_ok=True)


def test_the_share_of_choices_beyond_chance():
    rows = pd.DataFrame(
        [
            {
                "method": "bimt",
                "label": "BIMT",
                "seed": seed,
                "statistic": statistic,
                "rule": rule,
                "threshold": 0.01,
                "clustering": "kmeans",
                "neighbourhood": 1.5 if statistic == "isolated" else np.nan,
                "z": -4.0 if rule == "8" else -1.0,
                "p": 0.0001 if rule == "8" else 0.2,
            }
            for seed in (1, 2)
            for statistic in ("isolated", "cluster_size")
            for rule in ("8", "silhouette")
        ]
    )
    found = ChoiceMeasure().findings(rows)
    (claim,) = found.claims
    assert (claim.networks, claim.verdict, claim.numbers) == ("BIMT", "undecided", "1 of 2")
    ranges = found.tables["Each method"].iloc[0]
    assert ranges["mean z, average cluster size"] == "-4.0 to -1.0"
    each = found.tables["Each combination"].set_index("rule")["BIMT"]
    assert each["8"] == "-4.0, -4.0 (2 of 2)"
    assert each["silhouette"] == "-1.0, -1.0 (0 of 2)"
    table = found.tables["By choice: average cluster size"]
    held = table[(table.choice == "rule") & (table.value == "8")]
    assert held.iloc[0, 2].endswith(" (100%)")


def test_a_portrait_shows_what_the_map_shows():
    """Of the whole analysis a portrait keeps what is drawn, and nothing is drawn otherwise."""
    brain = brain_dataset((6, 6)).isel(member=[0])
    tables = portray({"BIMT": brain, "L1": brain})
    assert tables["neurons"].groupby("label").size().tolist() == [36, 36]
    assert (tables["connections"].groupby("label").size() == 200).all()
    rows = pd.DataFrame(
        {"label": label, "seed": 1, "statistic": statistic, "z": z}
        for label in ("BIMT", "L1")
        for statistic, z in (("isolated", -1.0), ("cluster_size", -2.5))
    )
    figure, caption = side_by_side(tables, rows)
    assert "seed 1" in caption
    whole = plot_map(brain, ax=new_figure(3, 3).subplots(), max_lines=200).axes[0]
    for ax in figure.axes[:2]:
        assert ax.get_title("left").endswith("z -1.0 isolated, -2.5 size")
        (ours,), (theirs,) = (
            [c for c in a.collections if isinstance(c, LineCollection)] for a in (ax, whole)
        )
        np.testing.assert_array_equal(ours.get_segments(), theirs.get_segments())
        colours = (c.get_colors() for c in (ours, theirs))
        np.testing.assert_allclose(*colours, atol=1e-6)  # weights are float32 in an analysis
        for own, other in zip(ax.collections[1:], whole.collections[1:], strict=True):
            np.testing.assert_array_equal(own.get_offsets(), other.get_offsets())
            np.testing.assert_array_equal(own.get_facecolors(), other.get_facecolors())
            relative = [c.get_sizes() / c.get_sizes().max() for c in (own, other)]
            np.testing.assert_allclose(*relative, rtol=1e-5)
