import dataclasses

import numpy as np
import pytest

from brainrnn.anatomy.geometry import grid
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from paper_mlp.images.pixels import check_image, first_hidden, first_layer, image_shape
from tests.paper_mlp.images.handmade import SHAPE, connect, empty, noise_task


def test_the_shape_comes_from_where_the_inputs_lie():
    assert image_shape(empty(4)) == SHAPE
    assert image_shape(empty(4, shape=(1, 5))) == (1, 5)


def test_inputs_on_a_line_are_no_pixels():
    with pytest.raises(InputError, match="not the pixels of an image"):
        image_shape(MLP.on_lines(12, 10))


def test_pixels_stand_row_after_row():
    with pytest.raises(InputError, match="not the pixels of an image"):
        image_shape(MLP([grid(*SHAPE).flip(0), grid(2, 2)]))


def test_a_weight_stands_at_its_pixel():
    net = connect(empty(4, members=2), 0, {(3, 7): 2.0, (1, 0): -1.0}, member=1)
    layer = first_layer(net)
    assert layer.shape == (2, 4, *SHAPE)
    assert layer[1, 3, 2, 1] == 2  # pixel 7 of rows of 3
    assert layer[1, 1, 0, 0] == -1
    assert np.count_nonzero(layer) == 2


def test_the_first_layer_leads_to_the_outputs_where_nothing_is_hidden():
    assert first_hidden(empty()) == "out"
    assert first_hidden(empty(9, 4)) == "h1"


def test_the_task_must_have_the_images_of_the_network():
    task = noise_task()
    check_image(empty(4), task)
    with pytest.raises(InputError, match=r"4 x 3 pixels, but task .* images of 3 x 4 pixels"):
        check_image(empty(4), noise_task((3, 4)))
    with pytest.raises(InputError, match="has no images"):
        check_image(empty(4), dataclasses.replace(task, image=None))
