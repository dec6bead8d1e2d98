from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from brainrnn.plots.networks.labels import points_per_unit, write_labels
from brainrnn.plots.style import new_figure


def written(texts, *, width=4.0, offset=5.0, largest=10.0, order=None, layout=True):
    """Labels at equally spaced points of the unit interval, and the room between the neighbours."""
    figure = new_figure(width, 2) if layout else Figure(figsize=(width, 2), dpi=100)
    ax = figure.add_subplot() if layout else figure.add_axes((0.035, 0.1, 0.93, 0.8))
    ax.set_xlim(0, 1)
    ax.set_axis_off()
    points = np.stack([(np.arange(len(texts)) + 0.5) / len(texts), np.full(len(texts), 0.5)], 1)
    order = np.arange(len(texts)) if order is None else order
    texts = [texts[i] for i in order]
    reach = write_labels(ax, points[order], texts, offset=offset, largest=largest)
    figure.draw_without_rendering()
    labels = sorted(ax.texts, key=lambda label: label.xy[0])
    ground = ax.transData.transform((0, 0.5))[1]
    return labels, reach, ground, 72 / figure.dpi


def gaps(labels):
    """Points between neighbours on the same line."""
    lines = {}
    for label in labels:
        lines.setdefault(label.xyann[1], []).append(label.get_window_extent())
    return [b.x0 - a.x1 for line in lines.values() for a, b in pairwise(line)]


@pytest.mark.parametrize("layout", [True, False])
def test_labels_are_as_large_as_they_may_be(layout):
    roomy = written(["a", "b", "c"], layout=layout)[0]
    assert {label.get_fontsize() for label in roomy} == {10}
    assert {label.xyann for label in roomy} == {(0, 5)}
    tighter = written(["long label"] * 7, layout=layout)[0]
    (size,) = {label.get_fontsize() for label in tighter}
    assert 7 <= size < 10
    assert len({label.xyann for label in tighter}) == 1
    assert min(gaps(tighter)) > 0
    assert max(gaps(tighter)) < 20


@pytest.mark.parametrize("offset", [5.0, -8.0])
def test_labels_that_would_be_small_take_turns_on_two_lines(offset):
    labels = written(["long label"] * 15, offset=offset)[0]
    (size,) = {label.get_fontsize() for label in labels}
    assert 5 < size < 10
    near, far = labels[0].xyann[1], labels[1].xyann[1]
    assert near == offset
    assert abs(far) > abs(near) + size
    assert [label.xyann[1] for label in labels] == [near, far] * 7 + [near]
    assert min(gaps(labels)) > 0


def test_labels_never_become_invisible():
    labels = written(["a rather long label"] * 30)[0]
    assert {label.get_fontsize() for label in labels} == {5}


def test_the_order_of_the_labels_does_not_matter():
    texts = [str(i) * 3 for i in range(25)]
    straight = written(texts)[0]
    mixed = written(texts, order=np.random.default_rng(0).permutation(25))[0]
    for one, other in zip(straight, mixed, strict=True):
        assert one.get_text() == other.get_text()
        assert (one.get_fontsize(), one.xyann) == (other.get_fontsize(), other.xyann)


@pytest.mark.parametrize("offset", [5.0, -8.0])
@pytest.mark.parametrize("texts", [["$x_1$", r"$\sqrt{x^2}$"], ["long label"] * 9])
def test_the_reach_is_where_the_texts_end(texts, offset):
    labels, reach, ground, scale = written(texts, offset=offset)
    boxes = [label.get_window_extent() for label in labels]
    end = max(box.y1 - ground if offset > 0 else ground - box.y0 for box in boxes) * scale
    assert end == pytest.approx(reach, abs=2.5)


def test_no_labels():
    ax = new_figure(4, 2).add_subplot()
    assert write_labels(ax, np.empty((0, 2)), [], offset=5) == 0
    assert not ax.texts


def test_the_room_does_not_depend_on_the_layout_being_made():
    figure = new_figure(6, 2)
    axes = figure.subplots(1, 3)
    before = [points_per_unit(ax) for ax in axes]
    assert len(set(before)) == 1
    figure.draw_without_rendering()
    assert [points_per_unit(ax) for ax in axes] == before
    assert before[0] == pytest.approx(72 * axes[0].bbox.width / figure.dpi, rel=0.2)
