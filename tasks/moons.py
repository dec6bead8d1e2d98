"""Two interleaved half circles in the plane ("Seeing Is Believing", Section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sklearn.datasets import make_moons

from brainrnn.errors import InputError
from brainrnn.memory import require_memory
from brainrnn.task import Examples
from tasks.fixed import FixedTask, check_whole, legacy_generator, the_one


def two_moons(
    names: Sequence[str] | None = None,
    *,
    seed: int = 1,
    train: int = 200,
    test: int = 200,
    noise: float = 0.1,
) -> FixedTask:
    """Tell two interleaved half circles apart (scikit-learn's ``make_moons``).

    Parameters
    ----------
    names : sequence of one str
        ``two_moons``, or nothing.
    seed : int
        Of the points.
    train, test : int
        Number of points.
    noise : float
        Standard deviation of the points about their half circle.

    Returns
    -------
    FixedTask

    Raises
    ------
    InputError
        For sizes below 2, or a noise that is negative or above 1e9.

    Examples
    --------
    >>> two_moons(train=10).train.targets.unique().tolist()
    [0, 1]
    """
    name = the_one("two_moons", names, ("two_moons",))
    if not isinstance(noise, int | float) or not 0 <= noise <= 1e9:
        raise InputError(
            f"the noise of the moons must be a number of at least 0, got {noise!r} (at most 1e9)"
        )
    rng = legacy_generator(seed)

    def draw(what: str, n: int) -> Examples:
        n = check_whole(f"the number of {what} points", n, 2)
        require_memory(8 * 2 * n, f"{n:,} {what} points", "use fewer")
        x, y = make_moons(n, noise=noise, random_state=rng)
        return Examples(torch.from_numpy(x), torch.from_numpy(y))

    return FixedTask(
        name,
        "which of two interleaved half circles a point belongs to (Fig. 4)",
        train=draw("training", train),
        test=draw("test", test),
        n_inputs=2,
        n_outputs=2,
        input_labels=("$x_1$", "$x_2$"),
        output_labels=("class 1", "class 2"),
    )
