"""Networks whose inputs are the pixels of a task's images."""

from __future__ import annotations

from matplotlib.colors import LinearSegmentedColormap

from brainrnn.analysis.feedforward.receptive import image_shape
from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import NEGATIVE, POSITIVE
from tasks.fixed import FixedTask

SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "white", POSITIVE])


def check_image(net: MLP, task: FixedTask) -> None:
    """See that a network's inputs are the pixels of a task's images.

    Raises
    ------
    InputError
        If not.
    """
    shape = image_shape(net)
    if task.image != shape:
        shown = (
            "no images" if task.image is None else "images of {} x {} pixels".format(*task.image)
        )
        raise InputError(
            f"the network looks at images of {shape[0]} x {shape[1]} pixels, but task "
            f"{task.name!r} has {shown}: give the task that it was trained on"
        )


def first_hidden(net: MLP) -> str:
    """The population that the pixels lead to."""
    return list(net.anatomy.populations)[1]
