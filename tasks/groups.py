"""Multiplication tables of finite groups ("Seeing Is Believing", Section 3.3).

An example is two tokens, the factors; the answer is their product.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import torch
from jaxtyping import Int

from brainrnn.errors import InputError
from brainrnn.task import Examples
from tasks.fixed import FixedTask, check_whole, legacy_generator, the_one


def cyclic_table(n: int) -> Int[np.ndarray, "a b"]:
    """Addition modulo n, (a, b) -> a + b.

    Examples
    --------
    >>> cyclic_table(3)[2].tolist()
    [2, 0, 1]
    """
    return np.add.outer(np.arange(n), np.arange(n)) % n


def symmetric_group(n: int) -> Int[np.ndarray, "element object"]:
    """All permutations of n objects, in lexicographic order; row g sends i to g[i].

    Examples
    --------
    >>> symmetric_group(2).tolist()
    [[0, 1], [1, 0]]
    """
    return np.array(list(permutations(range(n))))


def symmetric_table(n: int) -> Int[np.ndarray, "a b"]:
    """Composition of the n! permutations of n objects, (a, b) -> a after b.

    Examples
    --------
    >>> symmetric_table(2).tolist()
    [[0, 1], [1, 0]]
    """
    elements = symmetric_group(n)
    product = elements[:, elements]  # (a, b, i): a[b[i]]
    number = n ** np.arange(n)[::-1]  # lexicographic order is the order of these numbers
    return np.searchsorted(elements @ number, product @ number)


def groups(
    names: Sequence[str] | None = None,
    *,
    size: int | None = None,
    train_fraction: float = 0.8,
    seed: int = 0,
) -> FixedTask:
    """Products in a group, some of them held out.

    Parameters
    ----------
    names : sequence of one str
        ``addition`` modulo ``size``, or ``permutation`` of ``size`` objects.
    size : int, optional
        59 for addition and 4 for permutations by default.
    train_fraction : float
        Share of all products that is shown in training; the others are the test set.
    seed : int
        Of the choice. The published notebooks use 4 for addition and 1 for permutations.

    Raises
    ------
    InputError
        For an unknown group, a size that is too small or too large, or a fraction that leaves no
        examples.

    Examples
    --------
    >>> task = groups(["addition"], size=5)
    >>> len(task.train), len(task.test)  # of 25 sums
    (20, 5)
    """
    name = the_one("groups", names, ("addition", "permutation"))
    addition = name == "addition"
    size = check_whole(f"the size of {name}", (59 if addition else 4) if size is None else size, 2)
    largest = 1000 if addition else 6
    if size > largest:
        raise InputError(f"the size of {name} must be at most {largest}, got {size}")
    table = cyclic_table(size) if addition else symmetric_table(size)
    n = len(table)
    if not isinstance(train_fraction, int | float) or not 1 <= int(n**2 * train_fraction) < n**2:
        raise InputError(
            f"task.options.train_fraction must leave examples to train and to test on, such as "
            f"0.8, got {train_fraction!r}"
        )
    chosen = legacy_generator(seed).choice(n**2, int(n**2 * train_fraction), replace=False)
    others = np.setdiff1d(np.arange(n**2), chosen)

    def examples(index: np.ndarray) -> Examples:
        pairs = np.stack([index % n, index // n], axis=1)
        return Examples(torch.from_numpy(pairs), torch.from_numpy(table[pairs[:, 0], pairs[:, 1]]))

    described = (
        f"addition modulo {size} (Fig. 5)"
        if addition
        else f"composition of permutations of {size} objects (Fig. 6)"
    )
    return FixedTask(
        name,
        described,
        train=examples(chosen),
        test=examples(others),
        n_inputs=n,
        n_outputs=n,
        output_labels=tuple(str(i) for i in range(n)),
    )
