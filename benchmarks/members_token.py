"""One training step of 25 modular-addition networks side by side, against one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from torch.nn.functional import cross_entropy

from benchmarks.members import MEMBERS
from benchmarks.steps import compare_steps
from benchmarks.timing import Comparison, Setting


def comparisons(setting: Setting) -> Iterator[Comparison]:
    precisions = ("float64", "float32") if not setting.small else ("float64",)
    for precision in precisions:  # float64 is the published notebook's
        yield compare_steps(
            "fig5",
            MEMBERS,
            cross_entropy,
            f"{MEMBERS} networks, two tokens, 64-50-50-59, 2,784 examples, {precision}",
            setting,
            precision=precision,
            steps=1,
            least=0.5 if setting.small else 4,
        )
