"""One training step of MNIST's network with its cost, against plain PyTorch.

As in the published notebook, which draws batches by a ``DataLoader`` and computes all lengths in
every step; and as one may write it with more care.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss, one_hot

from benchmarks.steps import compare_steps
from benchmarks.timing import Comparison, Setting
from brainrnn.task import Examples
from tasks.fixed import FixedTask


def comparisons(setting: Setting) -> Iterator[Comparison]:
    task = random_images(setting.either(60_000, 6_000))
    for members, published in ((1, True), (1, False), (5, False)):
        how = "as published" if published else "batches by index, lengths kept"
        aim = 0.8 if setting.small else 3.5
        yield compare_steps(
            "fig8",
            members,
            _squared_error,
            f"{members} network{'s' if members > 1 else ''}, 784-100-100-10, 100 images, {how}",
            setting,
            task=task,
            published=published,
            steps=setting.either(20, 10),
            least=aim if published else None,
        )


def _squared_error(outputs: Tensor, classes: Tensor) -> Tensor:
    return mse_loss(outputs, one_hot(classes, 10).to(outputs))


def random_images(n: int) -> FixedTask:
    """A task of MNIST's size and sparsity: a step takes as long, and nothing need be at hand."""
    rng = np.random.default_rng(0)
    pixels = rng.random((n, 784), dtype=np.float32)
    pixels[pixels < 0.81] = 0
    images = Examples(torch.from_numpy(pixels), torch.from_numpy(rng.integers(0, 10, n)))
    return FixedTask(
        "images", "", images, images.take(slice(100)), 784, 10, image=(28, 28), squared=True
    )
