import dataclasses

import pytest

from brainrnn.errors import InputError
from paper_mlp.images.pixels import check_image, first_hidden
from tests.paper_mlp.images.handmade import empty, noise_task


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
