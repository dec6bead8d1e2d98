import numpy as np
import pytest

from brainrnn.analysis.feedforward.receptive import (
    border_distance,
    image_shape,
    live_pixels,
    pixel_strength,
    receptive_fields,
    receptive_table,
)
from brainrnn.anatomy.geometry import grid
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.wiring_cost.strength import wiring_strength
from tests.analysis.feedforward.handmade import connect, drawn, on_image
from tests.placed import Wired


def test_the_shape_comes_from_where_the_inputs_lie():
    assert image_shape(on_image(4)) == (4, 3)
    assert image_shape(on_image(4, shape=(1, 5))) == (1, 5)


def test_inputs_on_a_line_are_no_pixels():
    with pytest.raises(InputError, match="not the pixels of an image"):
        image_shape(MLP.on_lines(12, 10))


def test_pixels_stand_row_after_row():
    with pytest.raises(InputError, match="not the pixels of an image"):
        image_shape(MLP([grid(4, 3).flip(0), grid(2, 2)]))


def test_a_weight_stands_at_its_pixel():
    net = connect(on_image(4, members=2), 0, {(3, 7): 2.0, (1, 0): -1.0}, member=1)
    layer = receptive_fields(net)
    assert layer.shape == (2, 4, 4, 3)
    assert layer[1, 3, 2, 1] == 2  # pixel 7 of rows of 3
    assert layer[1, 1, 0, 0] == -1
    assert np.count_nonzero(layer) == 2


def test_strength_and_life_of_a_pixel():
    net = connect(on_image(4, members=2), 0, {(0, 7): 2.0, (3, 7): -3.0, (1, 2): 0.15}, member=1)
    strength, live = pixel_strength(net), live_pixels(net)
    assert strength.shape == live.shape == (2, 4, 3)
    assert strength[1, 2, 1] == 5
    assert strength[1, 0, 2] == pytest.approx(0.15)
    assert strength.sum() == pytest.approx(5.15)
    assert np.argwhere(live).tolist() == [[1, 2, 1]]  # 0.15 is no more than 5 % of 3


def test_distance_from_the_border_is_that_to_the_nearest_side():
    distance = border_distance((5, 7))
    for y in range(5):
        for x in range(7):
            assert distance[y, x] == min(y, 4 - y, x, 6 - x)


def test_live_pixels_are_counted_by_distance():
    net = on_image(4, shape=(5, 5), members=2)
    connect(net, 0, {(0, 0): 1.0, (0, 12): 1.0, (1, 12): 1.0, (2, 7): 1.0, (3, 24): 1.0}, member=1)
    later = connect(on_image(4, shape=(5, 5), members=2), 0, {(0, 6): 1.0})
    table = receptive_table([(0, net), (100, later)]).set_index(["step", "member", "distance"])
    assert len(table) == 12
    assert table.pixels[0, 0].tolist() == [16, 8, 1]
    assert table.live[0, 0].tolist() == [0, 0, 0]
    assert table.live[0, 1].tolist() == [2, 1, 1]
    assert table.live[100, 0].tolist() == [0, 1, 0]


def test_strength_is_what_leaves_the_input_population():
    net = drawn(on_image(4, members=2))
    expected = wiring_strength(net, "input")[1].numpy().reshape(2, 4, 3)
    np.testing.assert_array_equal(pixel_strength(net), expected)


def test_what_has_no_receptive_field():
    with pytest.raises(InputError, match="no moment"):
        receptive_table([])
    with pytest.raises(InputError, match="not the pixels"):
        live_pixels(MLP.on_lines(12, 10))


def test_hidden_neurons_on_a_grid_are_no_pixels():
    assert image_shape(Wired({"up": "h2 h1"})) == (2, 3)
    with pytest.raises(InputError, match="not the pixels"):  # inputs without places lead to h1
        image_shape(Wired({"enter": "h1 _", "up": "h2 h1"}))
