"""Distributions from which a sweep draws its points, as a user writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scipy import stats

from brainrnn.config import toml_text, toml_value
from brainrnn.errors import InputError
from brainrnn.study.values import in_file_name

_RANGES: dict[str, Callable[[Any, Any], Any]] = {
    "uniform": lambda low, high: stats.uniform(low, high - low),
    "loguniform": stats.loguniform,
    "integers": lambda low, high: stats.randint(low, high + 1),
}
KINDS = (*_RANGES, "choice")
_WRITTEN = re.compile(rf"({'|'.join(KINDS)})\((.*)\)", re.S)


def is_distribution(text: str) -> bool:
    """Whether a value is written as a distribution.

    Examples
    --------
    >>> is_distribution("uniform(0, 4)"), is_distribution("[0, 4]")
    (True, False)
    """
    return text.strip().partition("(")[0].strip() in KINDS and "(" in text


@dataclass(frozen=True)
class Distribution:
    """``uniform(0, 4)``, ``loguniform(1e-5, 1e-3)``, ``integers(8, 64)`` or ``choice(32, 64)``.

    Attributes
    ----------
    kind : str
    values : tuple
        Lowest and highest value, both included; or all values of a choice.

    Examples
    --------
    >>> strength = Distribution.parse("loguniform(1e-5, 1e-3)")
    >>> strength.at(0.5)
    0.0001
    >>> Distribution.parse("choice(relu, tanh)").at(0.7)
    'tanh'
    """

    kind: str
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """Read a distribution.

        Raises
        ------
        InputError
            If it is none, or its numbers make no sense.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if not found:
            raise InputError(
                f"{text!r} is no distribution: write uniform(0, 4), loguniform(1e-5, 1e-3), "
                "integers(8, 64) or choice(relu, tanh)"
            )
        kind, inside = found.groups()
        values = toml_value(f"[{inside}]")
        if not isinstance(values, list):  # bare words
            values = [toml_value(word.strip()) for word in inside.split(",")]
        if kind == "choice":
            _check_choice(text, values)
        else:
            _check_range(kind, text, values)
        return cls(kind, tuple(values))

    def at(self, share: float) -> Any:
        """The value below which lies a share of the distribution; numbers in six digits."""
        if self.kind == "choice":
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        low, high = self.values
        return self.rounded(min(max(_RANGES[self.kind](low, high).ppf(share), low), high))

    def rounded(self, value: float) -> float | int:
        """A number that can be read, and is in the range."""
        low, high = self.values
        if self.kind == "integers":
            return round(value)
        return min(max(float(f"{value:.6g}"), float(low)), float(high))

    @property
    def ends(self) -> tuple[Any, ...]:
        """The lowest and the highest value, or all values of a choice."""
        return self.values

    def __str__(self) -> str:
        """As a user writes it."""
        return f"{self.kind}({', '.join(map(toml_text, self.values))})"


def _check_choice(text: str, values: list[Any]) -> None:
    if not values or values == [""]:
        raise InputError(f"{text}: choice needs values, such as choice(relu, tanh)")
    if len({in_file_name(value) for value in values}) < len(values):
        raise InputError(f"{text}: values must differ from each other")


def _check_range(kind: str, text: str, values: list[Any]) -> None:
    of = int if kind == "integers" else int | float
    number = "whole numbers" if kind == "integers" else "numbers"
    numbers = all(isinstance(v, of) and not isinstance(v, bool) for v in values)
    if len(values) != 2 or not numbers or not all(map(math.isfinite, values)):
        raise InputError(f"{text}: {kind} needs two {number}, the lowest and the highest")
    if values[0] >= values[1]:
        raise InputError(f"{text}: the lowest value must be below the highest")
    if kind == "loguniform" and values[0] <= 0:
        raise InputError(
            f"{text}: loguniform needs numbers above 0; to try 0 too, use uniform or choice"
        )
