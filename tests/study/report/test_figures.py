"""What is drawn is what the rows say."""

import numpy as np
import pandas as pd
import pytest

from brainrnn.plots.style import new_figure
from brainrnn.study.report.figures import (
    band,
    chance_band,
    dots,
    heat,
    in_row,
    legend_below,
    name_rows,
    panels,
)


@pytest.fixture
def ax():
    return new_figure(4, 3).subplots()


def test_panels_that_are_not_needed_are_hidden():
    figure, axes = panels(6, 2.0, 1.0, margins=(1.0, 0.5), sharex=True)
    assert axes.shape == (2, 4)
    assert [ax.axison for ax in axes.flat] == [True] * 6 + [False] * 2
    assert figure.get_size_inches().tolist() == [9, 2.5]


@pytest.mark.parametrize("axis", ["x", "y"])
def test_the_band_of_chance_holds_95_percent(ax, axis):
    chance_band(ax, axis)
    corners = ax.patches[0].get_bbox()
    low, high = getattr(corners, f"interval{axis}")
    assert (low, high) == (-1.96, 1.96)


def test_a_dot_for_each_network_and_a_bar_at_their_mean(ax):
    dots(ax, pd.Series([1.0, 2.0, 6.0]), 4, (0.0, 0.0, 0.0), width=0.1, bar=0.3, size=5.0)
    points, bar = ax.lines
    assert points.get_xdata().tolist() == [1, 2, 6]
    np.testing.assert_allclose(points.get_ydata(), [3.9, 4, 4.1])
    np.testing.assert_allclose(bar.get_xdata(), [3, 3])
    assert in_row(1, 2, 0.1).tolist() == [2]


def test_a_line_is_the_mean_and_its_band_reaches_from_the_least_to_the_greatest(ax):
    rows = pd.DataFrame({"x": [0, 0, 0, 1, 1, 1], "y": [0.0, 0.1, 0.8, 0.5, 0.6, 1.0]})
    band(ax, rows, "x", "y", alpha=0.1, color="black", label="a")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.3, 0.7])
    corners = ax.collections[0].get_paths()[0].vertices
    for x, low, high in ((0, 0.0, 0.8), (1, 0.5, 1.0)):
        y = corners[corners[:, 0] == x, 1]
        assert (y.min(), y.max()) == pytest.approx((low, high))


def test_a_table_as_colours_has_its_names(ax):
    table = pd.DataFrame([[0.0, 1.0], [0.5, np.nan]], columns=["go", "anti"])
    heat(ax, table, [7, 9], below=True, cmap="magma_r", vmin=0, vmax=1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["7", "9"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["go", "anti"]
    shown = ax.collections[0].get_array()
    np.testing.assert_allclose(np.ma.filled(shown, -1), [[0, 1], [0.5, -1]])


def test_the_legend_says_each_name_once():
    figure, axes = panels(2, 2.0, 2.0)
    for panel in axes.flat:
        panel.plot([0, 1], label="a")
    axes[0, 1].plot([1, 0], label="b")
    legend_below(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_rows_are_named_from_the_top_down(ax):
    name_rows(ax, ["first", "second"])
    bottom, top = ax.get_ylim()
    assert bottom > 1 > 0 > top
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
