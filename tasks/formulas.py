"""Regression of symbolic formulas with modular structure ("Seeing Is Believing", Section 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from brainrnn.memory import require_memory
from brainrnn.task import Examples
from tasks.fixed import FixedTask, check_whole, legacy_generator, the_one


@dataclass(frozen=True)
class Formula:
    """Outputs as functions of inputs in [-1, 1]; ``function`` maps (input, ...) to outputs."""

    n_inputs: int
    function: Callable[[np.ndarray], tuple[np.ndarray, ...]]
    labels: tuple[str, ...]
    description: str


FORMULAS = {
    "products": Formula(
        4,
        lambda x: (x[0] * x[3] + x[1] * x[2], x[0] * x[3] - x[1] * x[2]),
        ("$x_1x_4+x_2x_3$", "$x_1x_4-x_2x_3$"),
        "sum and difference of two products (Fig. 2)",
    ),
    "independence": Formula(
        4,
        lambda x: (x[1] ** 2 + np.sin(np.pi * x[3]), (x[0] + x[2]) ** 3),
        (r"$x_2^2+\sin(\pi x_4)$", "$(x_1+x_3)^3$"),
        "two targets that share no input (Fig. 3a)",
    ),
    "sharing": Formula(
        3,
        lambda x: (x[0] ** 2, x[0] ** 2 + x[1] ** 2, x[0] ** 2 + x[1] ** 2 + x[2] ** 2),
        ("$x_1^2$", "$x_1^2+x_2^2$", "$x_1^2+x_2^2+x_3^2$"),
        "three targets that share features, the squares (Fig. 3b)",
    ),
    "composition": Formula(
        4,
        lambda x: (np.sqrt((x[0] - x[1]) ** 2 + (x[2] - x[3]) ** 2),),
        (r"$\sqrt{(x_1-x_2)^2+(x_3-x_4)^2}$",),
        "a distance: the root of a quantity that must be computed first (Fig. 3c)",
    ),
}


def formulas(
    names: Sequence[str] | None = None, *, seed: int = 0, train: int = 100, test: int = 100
) -> FixedTask:
    """Examples of one formula, inputs uniform in [-1, 1].

    Parameters
    ----------
    names : sequence of one str
        A key of ``FORMULAS``.
    seed : int
        Of the inputs. Figures 3a, b and c of the published notebooks use 0, 4 and 3.
    train, test : int
        Number of examples.

    Returns
    -------
    FixedTask

    Raises
    ------
    InputError
        For an unknown formula, or sizes below 1.

    Examples
    --------
    >>> task = formulas(["sharing"], train=10)
    >>> task.train.targets.shape  # x1^2, x1^2 + x2^2 and x1^2 + x2^2 + x3^2
    torch.Size([10, 3])
    """
    name = the_one("formulas", names, tuple(FORMULAS))
    formula, rng = FORMULAS[name], legacy_generator(seed)

    def draw(what: str, n: int) -> Examples:
        n = check_whole(f"the number of {what} examples", n, 1)
        require_memory(8 * n * formula.n_inputs, f"{n:,} {what} examples", "use fewer")
        x = rng.rand(n, formula.n_inputs) * 2 - 1
        y = np.stack(formula.function(x.T), axis=1)
        return Examples(torch.from_numpy(x), torch.from_numpy(y))

    return FixedTask(
        name,
        formula.description,
        train=draw("training", train),
        test=draw("test", test),
        n_inputs=formula.n_inputs,
        n_outputs=len(formula.labels),
        input_labels=tuple(f"$x_{i + 1}$" for i in range(formula.n_inputs)),
        output_labels=formula.labels,
    )
