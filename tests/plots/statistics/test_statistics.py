import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb

from brainrnn.analysis import map_statistics, robustness
from brainrnn.plots import plot_lengths, plot_robustness, plot_statistics
from brainrnn.plots.style import NEGATIVE
from tests.analysis.synthetic import brain_dataset
from tests.analysis.test_map_statistics import local_weight


@pytest.fixture(scope="module")
def brain():
    return brain_dataset(members=2, weight=local_weight(members=2))


@pytest.fixture(scope="module")
def statistics(brain):
    return map_statistics(brain, graphs=5)


@pytest.fixture(scope="module")
def table(brain):
    return robustness(brain, ks=("silhouette", 3, 50), thresholds=(0.01, 0.1), permutations=50)


def dots(ax):
    return [c for c in ax.collections if isinstance(c, PathCollection)]


def is_full(dot):
    return np.allclose(dot.get_facecolor()[0, :3], to_rgb(NEGATIVE))


def test_every_statistic_is_a_dot_at_its_z_and_full_if_its_p_is_small(statistics):
    one = statistics.isel(member=1)
    one = one.sel(statistic=np.isfinite(one.z.values))
    (ax,) = plot_statistics(statistics, 1).axes
    shown = {}
    for dot in dots(ax):
        for z, row in dot.get_offsets():
            shown[int(row)] = (z, is_full(dot))
    expected = {
        i: (z, p < 0.05) for i, (z, p) in enumerate(zip(one.z.values, one.p.values, strict=True))
    }
    assert shown == expected
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert [label[:-3] for label in labels] == one["name"].values.tolist()
    assert labels[0].endswith("←")
    (bands,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    low = (one.null_low - one.null_mean) / one.null_sd
    np.testing.assert_allclose([s[0, 0] for s in bands.get_segments()], low)


def test_a_network_without_statistics_can_be_drawn(statistics):
    nothing = statistics.copy(deep=True)
    for name in ("z", "p", "length_bin_pairs"):
        nothing[name][:] = np.nan
    for draw in (plot_statistics, plot_lengths):
        draw(nothing).draw_without_rendering()


def test_connection_probability_is_drawn_on_both_kinds_of_axis_with_every_fit(statistics):
    figure = plot_lengths(statistics)
    log, linear = figure.axes[:2]
    assert (log.get_xscale(), linear.get_xscale(), log.get_yscale()) == ("log", "linear", "log")
    one = statistics.isel(member=0)
    share = one.length_bin_connected / one.length_bin_pairs
    for ax in (log, linear):
        points = ax.containers[0].lines[0]
        known = (share > 0).values
        np.testing.assert_array_equal(points.get_xdata(), one.length_bin_distance[known])
        np.testing.assert_array_equal(points.get_ydata(), share[known])
        lines = {line.get_label(): line for line in ax.lines if "(" in str(line.get_label())}
        assert len(lines) == 5
        for model in one.model.values:
            (line,) = [
                v for k, v in lines.items() if k.startswith(str(model).replace("_", " ") + " (")
            ]
            fitted = one.length_bin_probability.sel(model=model)
            np.testing.assert_array_equal(line.get_ydata(), fitted)


def test_specification_curve_rises_and_its_marks_are_the_choices(table):
    figure = plot_robustness(table, 1)
    size = table[(table.member == 1) & (table.statistic == "cluster_size") & table.z.notna()]
    size = size.sort_values("z", kind="stable")
    curve, rules = figure.axes[1], figure.axes[3]
    shown = np.concatenate([d.get_offsets() for d in dots(curve)])
    shown = shown[shown[:, 0].argsort()]
    np.testing.assert_array_equal(shown[:, 1], size.z)
    assert f"{(size.p < 0.05).mean():.0%} of {len(size)} combinations" in curve.get_title(
        loc="left"
    )
    names = [label.get_text() for label in rules.get_yticklabels()]
    assert names == ["silhouette", "3", "50"]
    (marks,) = dots(rules)
    chosen = [names[int(row)] for row in marks.get_offsets()[:, 1]]
    assert chosen == [str(rule) for rule in size.rule]
    assert not figure.axes[9].get_visible()  # the cluster size has no neighbourhood


def test_a_table_without_numbers_can_be_drawn(table):
    empty = table.assign(z=np.nan, p=np.nan)
    plot_robustness(pd.DataFrame(empty)).draw_without_rendering()
