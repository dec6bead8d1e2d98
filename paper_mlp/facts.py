"""Numbers that notes quote: of the run itself, made when they are asked for, or of other runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from brainrnn.analysis import newman_modularity
from brainrnn.training.loop import answer
from paper_mlp.panels import FinishedRun

Fact = Callable[[FinishedRun], str]
TWENTY = Path(__file__).parents[1] / "docs" / "results" / "feedforward_twenty_seeds"


def written(values: pd.Series, measure: str) -> str:
    """Mean ± standard deviation, as one writes a loss, an accuracy or a modularity.

    Examples
    --------
    >>> written(pd.Series([1e-4, 2e-4]), "test_loss"), written(pd.Series([0.98]), "accuracy")
    ('(15.0 ± 7.1)e-5', '98.0 %')
    """
    mean, sd = float(values.mean()), float(values.std()) if len(values) > 1 else 0.0
    if "accuracy" in measure:
        return f"{mean:.1%}".replace("%", " %")
    if "loss" in measure:
        power = int(f"{sd or mean:e}".split("e")[1])  # so that both have their digits
        return f"({mean / 10.0**power:.1f} ± {sd / 10.0**power:.1f})e{power}"
    return f"{mean:.3f} ± {sd:.3f}"


def least_to_greatest(values: np.ndarray, form: str) -> str:
    """The least and the greatest of some numbers: "90 to 94"."""
    least, greatest = (format(v, form) for v in (np.min(values), np.max(values)))
    return least if least == greatest else f"{least} to {greatest}"


def measured(column: str, method: str) -> Fact:
    """What was measured of a method's networks."""

    def fact(run: FinishedRun) -> str:
        return written(run.table[column].iloc[run.members(method)].astype(float), column)

    return fact


def modularity_at(progress: float, method: str) -> Fact:
    """Newman's modularity of a method's networks at a fraction of training."""

    def fact(run: FinishedRun) -> str:
        net = run.at(progress).select(*run.members(method))
        return written(newman_modularity(net).to_series(), "modularity")

    return fact


def accuracy_at(progress: float, method: str) -> Fact:
    """Test accuracy of a method's networks at a fraction of training."""

    def fact(run: FinishedRun) -> str:
        net, test = run.at(progress).select(*run.members(method)), run.task.test
        score = run.task.score(answer(net, test), test).double().mean(1)
        return written(pd.Series(score.cpu().numpy()), "accuracy")

    return fact


def share_of_worst(points: int, method: str) -> Fact:
    """The share of the test loss that the worst test points carry, in percent."""

    @torch.no_grad()
    def fact(run: FinishedRun) -> str:
        net, test = run.net.select(*run.members(method)), run.task.test
        errors = (answer(net, test) - test.targets).square().mean(2).double()
        worst = errors.topk(points, dim=1).values.sum(1) / errors.sum(1)
        return least_to_greatest(100 * worst.cpu().numpy(), ".0f") + " %"

    return fact


def twenty_seeds(run: str, column: str) -> Fact:
    """What was measured of the twenty networks of a run such as "fig3a-bimt"."""
    return _published(run, lambda networks: written(networks[column], column))


def count_of_twenty(run: str, structure: str) -> Fact:
    """How many of the twenty networks of a run have a structure."""
    return _published(run, lambda networks: str(int(networks[structure].sum())))


def _published(run: str, number: Callable[[pd.DataFrame], str]) -> Fact:
    """A number of published networks; where pages do not come with the package, where it is."""

    def fact(_: FinishedRun) -> str:
        file = TWENTY / f"{run}.csv"
        if not file.is_file():
            return f"(in docs/results/{TWENTY.name}/{run}.csv)"
        return number(pd.read_csv(file))

    return fact
