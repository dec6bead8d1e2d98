"""One training step of 25 symbolic networks side by side, against one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from torch.nn.functional import mse_loss

from benchmarks.steps import compare_steps
from benchmarks.timing import Comparison, Setting

MEMBERS = 25


def comparisons(setting: Setting) -> Iterator[Comparison]:
    for published in (False, True):
        how = "lengths computed in every step, as published" if published else "lengths kept"
        yield compare_steps(
            "fig3a",
            MEMBERS,
            mse_loss,
            f"{MEMBERS} networks, 4-20-20-2, 100 examples, {how}",
            setting,
            published=published,
            steps=setting.either(20, 5),
            least=None if published else setting.either(50, 6),
        )
