"""Linear regression in context ("Seeing Is Believing", Section 3.4 and Appendix F)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from brainrnn.errors import InputError
from brainrnn.memory import require_memory
from brainrnn.task import Examples
from tasks.fixed import FixedTask, check_whole, legacy_generator, the_one

_LARGEST = 1e6  # bound of a distribution, so that y and its square stay numbers


def in_context(
    names: Sequence[str] | None = None,
    *,
    seed: int = 1,
    examples: int = 10_000,
    pairs: int = 1,
    dimensions: int = 1,
    w_low: float = -1.0,
    w_high: float = 1.0,
    x_low: float = 1.0,
    x_high: float = 3.0,
    every_pair: bool = True,
) -> FixedTask:
    r"""Predict :math:`y = w \cdot x` from a few pairs (x, y) of the same unknown w.

    A sequence shows x_1, y_1, ..., x_n, y_n, x, one vector each: (0, x) or (y, 0, ...). The first
    output at the last position is the answer. Four fifths of the sequences are for training.

    With the defaults the sequences are those of the published notebook. Section 3.4 of the paper
    draws w from U[1, 3] and x from U[-1, 1] instead; the singular case of Appendix F.2, where y / x
    has no bound, is ``x_low=-1, x_high=1``.

    Parameters
    ----------
    names : sequence of one str
        ``linear``, or nothing.
    seed : int
        Of the sequences.
    examples : int
        Number of sequences, for training and test together.
    pairs : int
        n, pairs shown before the question.
    dimensions : int
        Of w and x.
    w_low, w_high, x_low, x_high : float
        Bounds of the uniform distributions of w and of x, in every dimension.
    every_pair : bool
        Whether training asks for the y of every x, as in the published notebook (that of the first
        one cannot be known), or for the last one only. The test asks for the last one.

    Returns
    -------
    FixedTask

    Raises
    ------
    InputError
        For a size below 1, fewer than 5 examples, or bounds that are not in order or too large.

    Examples
    --------
    >>> task = in_context(examples=10)
    >>> task.train.inputs.shape  # x1, y1, x as vectors (y, x)
    torch.Size([8, 3, 2])
    """
    name = the_one("in_context", names, ("linear",))
    check_whole("the number of examples", examples, 5)
    check_whole("the number of pairs", pairs, 1)
    check_whole("the number of dimensions", dimensions, 1)
    each = 8 * 2 * (pairs + 1) * (1 + dimensions)
    require_memory(examples * each, f"{examples:,} sequences of {pairs:,} pairs", "use fewer")
    for what, low, high in (("w", w_low, w_high), ("x", x_low, x_high)):
        numbers = isinstance(low, int | float) and isinstance(high, int | float)
        if not (numbers and -_LARGEST <= low < high <= _LARGEST):
            raise InputError(
                f"{what}_low must be below {what}_high, numbers of at most {_LARGEST:g} in size, "
                f"got {low!r} and {high!r}"
            )
    if not isinstance(every_pair, bool):
        raise InputError(f"every_pair must be true or false, got {every_pair!r}")
    legacy = legacy_generator(seed)
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        drawn = torch.rand(shape, generator=generator, dtype=torch.float64)
        return drawn * (high - low) + low

    w = uniform(w_low, w_high, examples, dimensions)
    x = uniform(x_low, x_high, examples, pairs + 1, dimensions)
    y = torch.einsum("nd,npd->np", w, x)
    # (0, x_1), (y_1, 0), (0, x_2), ..., (y_n+1, 0); the next vector is the target of each.
    shown = torch.zeros(examples, 2 * (pairs + 1), 1 + dimensions, dtype=torch.float64)
    shown[:, ::2, 1:] = x
    shown[:, 1::2, 0] = y
    inputs, targets = shown[:, :-1], shown[:, 1:]
    weights = torch.zeros(targets.shape[1:], dtype=torch.float64)
    weights[-1, 0] = 1
    asked = weights.clone()
    if every_pair:
        asked[::2, 0] = 1

    chosen = torch.zeros(examples, dtype=torch.bool)
    chosen[torch.from_numpy(legacy.choice(examples, int(0.8 * examples), replace=False))] = True
    symbols = ("x",) if dimensions == 1 else tuple(f"$x_{i}$" for i in range(1, dimensions + 1))
    return FixedTask(
        name,
        f"y = w x of an x, from {pairs} other pair{'s' * (pairs > 1)} (x, y) of the same unknown w",
        train=Examples(inputs[chosen], targets[chosen], asked),
        test=Examples(inputs[~chosen], targets[~chosen], weights),
        n_inputs=1 + dimensions,
        n_outputs=1 + dimensions,
        input_labels=("0", *symbols),
        output_labels=("y", *("0",) * dimensions),
    )
