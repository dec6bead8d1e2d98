"""What does wiring buy? Accuracy against sparsity and against wiring length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from brainrnn.analysis import accuracy
from brainrnn.networks import RNN
from brainrnn.plots.style import module_colours, new_figure, open_frame
from brainrnn.strength import present
from brainrnn.study.inference import paired, tabulate
from brainrnn.study.measures.base import Findings, Measure
from brainrnn.study.subject import Subject
from brainrnn.study.wiring import wiring_length


class TradeOffMeasure(Measure):
    """Every network as trained, and with its weakest recurrent weights taken away."""

    kind: Literal["tradeoff"] = "tradeoff"
    pruned: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995),
        description="fractions of recurrent weights to be without, weakest first, where a network "
        "has more than that",
    )
    trials: int = Field(200, ge=1, description="trials per task to measure accuracy in")

    def rows(self, subject: Subject) -> pd.DataFrame:
        """A row for the network as it is, and one for each fraction it is pruned to."""
        net = subject.net
        absent = 1 - float(present(net.w_rec).double().mean())
        rows = []
        for target in (None, *(f for f in self.pruned if f > absent)):
            lean = net.select(0)
            if target is not None:
                prune(lean, target)
            total, mean = wiring_length(lean)
            # The same trials for every fraction, so that they differ by the pruning alone.
            rng = np.random.default_rng([subject.seed, 11])
            score = accuracy(lean, subject.suite, trials=self.trials, rng=rng)
            rows.append(
                {
                    "pruned": target is not None,
                    "absent": absent if target is None else target,
                    "connections": connections(lean),
                    "wiring_length": float(total[0]),
                    "mean_length": float(mean[0]),
                    "accuracy": float(score.mean()),
                    "ceiling": float(np.mean(subject.suite.ceiling())),
                }
            )
        return pd.DataFrame(rows)

    def findings(self, rows: pd.DataFrame) -> Findings:
        """Fronts of each method, and methods compared at equal sparsity."""
        found = Findings()
        matched = at_equal(rows, "absent", self.pruned)
        found.tables["Accuracy at equal sparsity"] = _wide(matched)
        found.tables["Methods at equal sparsity, paired by seed"] = _compared(matched)
        found.tables["Every network"] = rows.drop(columns=["method"])
        found.figures["tradeoff"] = (
            _scatter(rows),
            "Accuracy on all tasks against how sparse the recurrent weights are, and against the "
            "length of the wiring. Full dots are networks as trained, each with its own strength "
            "of the penalty; faint ones the same networks with their weakest weights taken away. "
            "Lines are the Pareto fronts: no network of the method is better in both.",
        )
        found.words = list(_words(matched))
        return found


@torch.no_grad()
def prune(net: RNN, absent: float) -> None:
    """Set the weakest recurrent weights of each member to 0, up to this fraction of all."""
    weights = net.get_parameter("w_rec")
    flat = weights.flatten(1)
    weakest = flat.abs().argsort(dim=1)[:, : round(absent * flat.shape[1])]
    flat.scatter_(1, weakest, 0.0)


def connections(net: RNN) -> int:
    """Count the recurrent weights of the first member that are not 0."""
    weights: Tensor = net.get_parameter("w_rec")[0]
    return int((weights != 0).sum())


def front(cost: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Points that no other beats in both: lower cost, higher gain; by rising cost.

    Parameters
    ----------
    cost, gain : (point,)

    Returns
    -------
    (k,) int
    """
    order = np.lexsort((-gain, cost))
    best = np.maximum.accumulate(np.concatenate([[-np.inf], gain[order][:-1]]))
    return order[gain[order] > best]


def at_equal(rows: pd.DataFrame, column: str, levels: tuple[float, ...]) -> pd.DataFrame:
    """Best accuracy that any network of a method and seed has with at least so much absent."""
    return pd.DataFrame(
        [
            {"label": label, "seed": seed, column: level, "accuracy": group.accuracy[sparse].max()}
            for (label, seed), group in rows.groupby(["label", "seed"], sort=False)
            for level in levels
            if (sparse := group[column] >= level - 1e-9).any()
        ]
    )


def _wide(matched: pd.DataFrame) -> pd.DataFrame:
    mean = matched.groupby(["label", "absent"], sort=False).accuracy.mean().unstack()
    mean.columns = pd.Index([f"{level:.1%} absent" for level in mean.columns])
    return mean.reset_index().rename(columns={"label": "method"})


def _compared(matched: pd.DataFrame) -> pd.DataFrame:
    labels = list(matched.label.drop_duplicates())
    table = []
    for level, group in matched.groupby("absent"):
        by = {label: one.set_index("seed").accuracy for label, one in group.groupby("label")}
        table += [
            {"absent": level, "method": one, "against": other} | paired(by[one], by[other])
            for one, other in combinations([name for name in labels if name in by], 2)
        ]
    return tabulate(table)


def _words(matched: pd.DataFrame) -> Iterator[str]:
    mean = matched.groupby(["absent", "label"], sort=False).accuracy.mean().unstack()
    for level, row in mean.iterrows():
        known = row.dropna().sort_values(ascending=False)
        ranking = ", ".join(f"{label} {value:.3f}" for label, value in known.items())
        yield f"With {level:.1%} of the recurrent weights absent: {ranking}."


def _scatter(rows: pd.DataFrame) -> Figure:
    figure = new_figure(10, 4.4)
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (label, group) in enumerate(rows.groupby("label", sort=False)):
        colour = module_colours(i)
        _fronts(left, 1 - group.absent.to_numpy(), group, colour, str(label))
        _fronts(right, group.wiring_length.to_numpy(), group, colour, str(label))
    left.set_xlabel("fraction of recurrent weights present")
    right.set_xlabel("wiring length, sum of |w| d")
    left.set_ylabel("accuracy")
    left.legend(frameon=False, fontsize=8, loc="lower right")
    for ax in (left, right):
        ax.set_xscale("log")
        open_frame(ax)
    return figure


def _fronts(
    ax: Axes, cost: np.ndarray, group: pd.DataFrame, colour: np.ndarray, label: str
) -> None:
    gain, pruned = group.accuracy.to_numpy(), group.pruned.to_numpy(bool)
    ax.plot(cost[pruned], gain[pruned], "o", ms=3, mew=0, alpha=0.25, color=colour)
    ax.plot(cost[~pruned], gain[~pruned], "o", ms=5, mew=0, alpha=0.9, color=colour)
    best = front(cost, gain)
    ax.step(cost[best], gain[best], where="post", lw=1.2, color=colour, label=label)
