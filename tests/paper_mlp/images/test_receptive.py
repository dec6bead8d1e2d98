import dataclasses

import numpy as np
import pytest
import torch

from brainrnn.analysis.feedforward.receptive import pixel_strength
from brainrnn.errors import InputError
from paper_mlp.images.receptive import (
    blank_pixels,
    blank_pixels_pruned,
    plot_receptive_fields,
)
from tests.paper_mlp.images.handmade import connect, empty, image_task, noise_task, random_net

TASK = noise_task()


def framed_task():
    """Images of 5 x 4 pixels whose first column and last row are always 0."""
    images = np.random.default_rng(0).random((20, 5, 4)) + 0.1
    images[:, :, 0] = images[:, -1] = 0
    images[3, 1, 1] = 0  # only once
    return image_task(images, np.arange(20) % 10)


def test_blank_pixels_are_zero_in_every_training_image():
    blank = blank_pixels(framed_task())
    assert blank.shape == (5, 4)
    assert blank.sum() == 8
    assert blank[:, 0].all()
    assert blank[-1].all()


def test_how_far_blank_pixels_are_pruned():
    task = framed_task()
    net = empty(4, shape=(5, 4), members=2)
    with torch.no_grad():
        net.get_parameter("fc0.weight")[0] = 1.0
        net.get_parameter("fc0.weight")[1] = 0.001
    connect(net, 0, {(i, p): -2.0 for i in range(4) for p in (5, 0, 4)}, member=1)
    table = blank_pixels_pruned(net, task)
    assert table.blank.tolist() == [8, 8]
    assert table.pruned.tolist() == [0, 0.75]
    assert table.weight.tolist() == pytest.approx([1, (2 * 2 + 6 * 0.001) / 8])
    assert table.other_weight.tolist() == pytest.approx([1, (2 + 11 * 0.001) / 12])


def test_no_blank_pixel_no_share():
    table = blank_pixels_pruned(random_net(4), TASK)
    assert table.blank.tolist() == [0]
    assert table[["pruned", "weight"]].isna().all(axis=None)
    assert table.other_weight.notna().all()


def test_maps_stand_beside_the_spread_of_the_images():
    task = framed_task()
    before, after = random_net(4, shape=(5, 4), members=2), empty(4, shape=(5, 4), members=2)
    connect(after, 0, {(2, 6): -4.0, (0, 13): 1.0}, member=1)
    figure = plot_receptive_fields([(0, before), (2000, after)], task, 1)
    images, first, last, curve = figure.axes
    spread = task.train.inputs.numpy().std(0, ddof=1).reshape(5, 4)
    np.testing.assert_allclose(images.get_images()[0].get_array(), spread / spread.max(), rtol=1e-5)
    assert images.get_title() == "training images, sd\n12 pixels vary"
    strength = pixel_strength(before)[1]
    np.testing.assert_allclose(first.get_images()[0].get_array(), strength / strength.max())
    field = last.get_images()[0].get_array()
    assert (field[1, 2], field[3, 1], field.sum()) == (1, 0.25, 1.25)
    assert last.get_title() == "step 2,000\n2 pixels live"
    lines = {line.get_label(): line.get_ydata() for line in curve.lines}
    np.testing.assert_allclose(lines["step 2,000"], [0, 2 / 6])
    np.testing.assert_allclose(lines["vary in training images"], [6 / 14, 1])


def test_the_line_goes_round_the_pixels_that_vary():
    """Each of its pieces has a pixel that varies on one side and none that does on the other."""
    figure = plot_receptive_fields([(0, random_net(4, shape=(5, 4)))], framed_task())
    pieces = figure.axes[1].collections[0].get_segments()
    varies = np.pad(~blank_pixels(framed_task()), 1)
    for piece in pieces:
        assert np.abs(np.diff(piece, axis=0)).sum() == 1
        across = np.abs(np.diff(piece, axis=0))[0, ::-1] / 2
        one, other = (np.mean(piece, 0) + side * across for side in (1, -1))
        seen = [varies[round(y) + 1, round(x) + 1] for x, y in (one, other)]
        assert sorted(seen) == [False, True]
    assert len(pieces) == 2 * (4 + 3)  # round a rectangle of 4 x 3 pixels


def test_what_cannot_be_drawn():
    net = random_net(4)
    with pytest.raises(InputError, match="no moment"):
        plot_receptive_fields([], TASK)
    with pytest.raises(InputError, match="nothing to draw"):
        plot_receptive_fields([(0, net), (1, empty(4))], TASK)
    with pytest.raises(InputError, match="network 1 does not exist"):
        plot_receptive_fields([(0, net)], TASK, 1)
    with pytest.raises(InputError, match="5 x 4 pixels"):
        plot_receptive_fields([(0, net)], framed_task())
    with pytest.raises(InputError, match="no images"):
        blank_pixels(dataclasses.replace(TASK, image=None))
