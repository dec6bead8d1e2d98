"""Small tasks of images, and networks of images made by hand."""

from __future__ import annotations

import numpy as np
import torch

from brainrnn.networks import MLP, MLPSpec
from brainrnn.task import Examples
from tasks.fixed import FixedTask

SHAPE = (4, 3)  # unequal sides, so that exchanged rows and columns do not go unseen


def image_task(images: np.ndarray, classes: np.ndarray, n: int = 10, name="handmade") -> FixedTask:
    """Train and test on the same images, (example, row, column)."""
    inputs = torch.from_numpy(images.reshape(len(images), -1)).float()
    examples = Examples(inputs, torch.from_numpy(classes))
    return FixedTask(
        name,
        "which class an image shows",
        examples,
        examples,
        n_inputs=inputs.shape[1],
        n_outputs=n,
        output_labels=tuple(map(str, range(n))),
        image=images.shape[1:],
        squared=True,
    )


def noise_task(shape=SHAPE, examples=30, n=10, seed=0) -> FixedTask:
    """Random images and classes."""
    rng = np.random.default_rng(seed)
    return image_task(rng.random((examples, *shape)), rng.integers(0, n, examples), n)


def empty(*hidden: int, shape=SHAPE, outputs=10, members=1) -> MLP:
    """A network on planes whose parameters are all 0, in float64."""
    spec = MLPSpec(hidden=hidden)
    net = MLP.on_planes(shape, outputs, spec, members=members, dtype=torch.float64)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    return net


def connect(net: MLP, layer: int, weights: dict[tuple[int, int], float], member: int = 0) -> MLP:
    """Set weights {(target, source): value} of one layer of a member."""
    with torch.no_grad():
        for (target, source), value in weights.items():
            net.get_parameter(f"fc{layer}.weight")[member, target, source] = value
    return net


def random_net(*hidden: int, **options) -> MLP:
    """A network whose parameters are all normal."""
    net = empty(*hidden, **options)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(torch.randn(value.shape, generator=generator))
    return net


def ordered(*orders: list[int]) -> MLP:
    """A member for each order of the classes round the ring."""
    net = random_net(9, outputs=len(orders[0]), members=len(orders))
    net.anatomy.move("out", torch.tensor(orders).argsort(dim=1))
    return net
