"""What the sequences of in-context regression hold: the first x, and the weight scalar w.

"Seeing Is Believing", Section 3.4.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from brainrnn.errors import InputError
from brainrnn.task import Examples
from tasks.fixed import FixedTask


def need_sequences(task: FixedTask) -> None:
    """See that a task is in-context regression.

    Raises
    ------
    InputError
        If not.
    """
    if task.name != "linear":
        raise InputError(
            f"this is for networks trained on in-context regression, 'linear', got {task.name!r}"
        )


def first_x(task: FixedTask, examples: Examples) -> Float[np.ndarray, " example"]:
    """|x_1| of every sequence, its Euclidean norm where x is a vector, (example,) float64.

    Raises
    ------
    InputError
        If the task is not in-context regression.
    """
    need_sequences(task)
    return np.linalg.norm(_numbers(examples)[:, 0, 1:], axis=1)


def weight_scalar(task: FixedTask, examples: Examples) -> Float[np.ndarray, " example"]:
    """The w = y_1 / x_1 behind every sequence, (example,) float64.

    Raises
    ------
    InputError
        If the task is not in-context regression, or one pair does not tell w: where x is a vector,
        or some x_1 is 0.
    """
    need_sequences(task)
    dimensions = task.n_inputs - 1
    if dimensions > 1:
        raise InputError(
            f"one pair (x, y) tells a scalar w, not one of {dimensions} dimensions: use "
            "dimensions = 1"
        )
    shown = _numbers(examples)
    x, y = shown[:, 0, 1], shown[:, 1, 0]
    if not x.all():
        raise InputError(f"{np.sum(x == 0)} sequences have x_1 = 0, which tells nothing about w")
    return y / x


def _numbers(examples: Examples) -> Float[np.ndarray, "example position input"]:
    return examples.inputs.double().cpu().numpy()
