"""Tasks whose examples are fixed: a training set that is shown whole, and a test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from brainrnn.errors import InputError, unknown
from brainrnn.task import Examples

_MOST = 10**10  # of examples, pairs, dimensions, and of a seed


class MeanCrossEntropy(torch.autograd.Function):
    """Mean cross entropy of every member, (member,), from logits (member, example, class).

    Its gradient, (softmax - one-hot) / examples, reuses the softmax of the forward pass, where
    ``torch.nn.functional.cross_entropy`` exponentiates a second time.
    """

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss."""
        # Along the classes where that is an outer axis of memory, which is faster.
        logits = outputs.mT
        probability = logits.softmax(1)
        # The largest probability never underflows; rounding may take it above 1.
        log_total = logits.amax(1) - probability.amax(1).clamp_(max=1).log_()
        target = targets[None, None].expand(len(outputs), 1, -1)
        ctx.save_for_backward(probability, target)
        return (log_total - logits.gather(1, target)[:, 0]).mean(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Compute the gradient."""
        probability, target = ctx.saved_tensors
        share = (grad / probability.shape[2])[:, None, None]
        slope = (probability * share).scatter_add_(1, target, (-share).expand_as(target))
        return slope.mT, None


class MeanSquaredError(torch.autograd.Function):
    """Mean squared error of every member, (member,), from outputs (member, example, output).

    The difference and two products, where automatic differentiation takes a dozen operations.
    """

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss."""
        error = outputs - targets
        ctx.save_for_backward(error)
        return error.square().mean((1, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Compute the gradient."""
        (error,) = ctx.saved_tensors
        return error * (grad * (2 / error[0].numel()))[:, None, None], None


@dataclass(frozen=True)
class FixedTask:
    """One task with fixed training and test examples; follows ``brainrnn.task.Task``.

    Attributes
    ----------
    name, description : str
    train, test : Examples
        With floating-point targets a regression, with whole numbers a classification. Sequences of
        vectors have a target at every position.
    n_inputs : int
        Length of an input vector, or size of the vocabulary where inputs are tokens.
    n_outputs : int
        Length of the target vector, or number of classes.
    input_labels, output_labels : tuple of str
        What stands at an input (none where inputs are tokens) and an output of a drawn network;
        matplotlib's mathematical text.
    image : (int, int), optional
        Rows and columns of the image that an input vector is, row after row.
    squared : bool
        Whether a class is learned by the squared error from a one-hot target, instead of by cross
        entropy.

    Examples
    --------
    >>> x = torch.linspace(-1, 1, 9)[:, None]
    >>> square = Examples(x, x**2)
    >>> task = FixedTask("square", "x^2 of x", square, square, n_inputs=1, n_outputs=1)
    >>> task.classes
    False
    """

    name: str
    description: str
    train: Examples
    test: Examples
    n_inputs: int
    n_outputs: int
    input_labels: tuple[str, ...] = ()
    output_labels: tuple[str, ...] = ()
    image: tuple[int, int] | None = None
    squared: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The one task."""
        return (self.name,)

    @property
    def descriptions(self) -> dict[str, str]:
        """What it asks for, in one line."""
        return {self.name: self.description}

    @property
    def tokens(self) -> bool:
        """Whether inputs are tokens."""
        return not self.train.inputs.is_floating_point()

    @property
    def positions(self) -> int | None:
        """Tokens, or vectors in the sequence, of an example; None where it is one vector."""
        inputs = self.train.inputs
        return inputs.shape[1] if self.tokens or inputs.ndim == 3 else None

    @property
    def classes(self) -> bool:
        """Whether the answer is a class."""
        return not self.train.targets.is_floating_point()

    def sample(
        self,
        n: int | None,
        rng: np.random.Generator,
        *,
        task: Sequence[int] | np.ndarray | None = None,
    ) -> Examples:
        """Draw ``n`` training examples without replacement; None, or more than there are: all."""
        if n is None or n >= len(self.train):
            return self.train
        chosen = torch.from_numpy(rng.choice(len(self.train), n, replace=False))
        return self.train.take(chosen)

    def held_out(self, n: int, rng: np.random.Generator) -> Examples:
        """The whole test set, whatever ``n`` is."""
        return self.test

    def loss(
        self, outputs: Float[Tensor, "member example *output"], batch: Examples
    ) -> Float[Tensor, " member"]:
        """Mean squared error, or mean cross entropy, of every member.

        ``outputs`` is (member, example, output), or (member, example, position, output) of
        sequences; the squared error is a mean over outputs and positions too, weighted where the
        batch has weights.
        """
        if self.classes and not self.squared:
            return MeanCrossEntropy.apply(outputs, batch.targets)
        targets = batch.targets
        if self.classes:
            codes = torch.eye(self.n_outputs, dtype=outputs.dtype, device=outputs.device)
            targets = codes.index_select(0, targets)
        if batch.weights is None:
            flat = outputs.flatten(2) if outputs.ndim > 3 else outputs
            return MeanSquaredError.apply(flat, targets.to(outputs).reshape(flat.shape[1:]))
        error = (outputs - targets.to(outputs)).square()
        weights = batch.weights.to(error)
        return (error * (weights / weights.sum())).flatten(2).sum(2).mean(1)

    def score(
        self, outputs: Float[Tensor, "member example *output"], batch: Examples
    ) -> Float[Tensor, "member example"]:
        """Whether each example was classified correctly, 0 or 1; NaN in a regression."""
        if not self.classes:
            return outputs.new_full(outputs.shape[:2], torch.nan)
        return (outputs.argmax(2) == batch.targets).to(outputs.dtype)

    def ceiling(self) -> Float[np.ndarray, " task"]:
        """The best possible score: 1, or NaN in a regression."""
        return np.array([1.0 if self.classes else np.nan])


def the_one(suite: str, names: Sequence[str] | None, known: Sequence[str]) -> str:
    """The one task that was asked for.

    Raises
    ------
    InputError
        If it is not exactly one, or unknown.
    """
    if names is None and len(known) == 1:
        return known[0]
    if isinstance(names, str) or not names or len(names) != 1:
        raise InputError(
            f"suite {suite!r} trains one task at a time: set task.names to one of "
            + ", ".join(f"['{name}']" for name in known)
        )
    if names[0] not in known:
        raise InputError(unknown("task", names[0], known))
    return names[0]


def check_whole(what: str, value: object, least: int) -> int:
    """A whole number of at least ``least``, and of at most 10^10.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{what} must be a whole number of at least {least}, got {value!r}")
    if value > _MOST:
        raise InputError(f"{what} must be at most {_MOST}, got {value!r:.60}")
    return int(value)


def legacy_generator(seed: object) -> np.random.RandomState:
    """NumPy's legacy generator: its seeds give the data of the paper's published notebooks.

    Raises
    ------
    InputError
        If the seed is not one.
    """
    seed = check_whole("the seed of the data", seed, 0)
    if seed >= 2**32:
        raise InputError(f"the seed of the data must be below 2**32, got {seed}")
    return np.random.RandomState(seed)
