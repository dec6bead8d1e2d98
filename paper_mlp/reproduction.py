"""What every experiment of the paper is described by, and how it becomes a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from brainrnn.config import Settings
from brainrnn.experiment import Experiment, TaskSpec, build
from brainrnn.networks import MLP
from paper_mlp.methods import members_of
from tasks.fixed import FixedTask

SNAPSHOTS = 50  # of the network in training, for its evolution

Check = Callable[[MLP, FixedTask], np.ndarray]  # whether each member has a structure, (member,)
MeanAndSd = tuple[float, float]


class Recipe(Settings):
    """Settings of an experiment, in one of its two versions.

    ``schedule`` holds (fraction of training, lambda) pairs; ``top_k`` is k and ``every`` S of the
    paper's swaps; ``centred`` puts neuron j of n at (j + 1/2)/n instead of j/n.
    """

    steps: int = 20_000
    learning_rate: float = 1e-3
    schedule: tuple[tuple[float, float], ...]
    locality: float
    offset: float
    top_k: int
    every: int = 200
    reduction: str = "sum"
    biases_from: float = 0.0
    centred: bool = True
    precision: str = "float32"


@dataclass(frozen=True)
class Expected:
    """What the paper reports: mean and standard deviation over five seeds, by method.

    Attributes
    ----------
    measure : str
        ``test_loss``, ``train_accuracy`` or ``test_accuracy``: what Table 1's numbers are.
    table1, table2 : mapping
        Loss or accuracy; Newman's modularity.
    """

    column: str
    measure: str
    table1: Mapping[str, MeanAndSd]
    table2: Mapping[str, MeanAndSd]


@dataclass(frozen=True)
class Panel:
    """A picture that an experiment draws: name of the file, figure of the paper, how."""

    name: str
    source: str
    draw: Callable[..., Figure]


@dataclass(frozen=True)
class Reproduction:
    """An experiment of the paper."""

    name: str
    title: str
    shows: str  # figures and appendices of the paper
    task: Mapping[str, Any]
    hidden: tuple[int, ...]
    recipes: Mapping[str, Recipe]
    checks: Mapping[str, Check] = field(default_factory=dict)
    expected: Expected | None = None

    def experiment(
        self, settings: str, methods: Sequence[str], seeds: int, *, steps: int | None = None
    ) -> Experiment:
        """The configuration of a run: every method and seed is a member of one network.

        ``steps`` makes it shorter or longer than the recipe says; the schedule stretches with it.
        """
        recipe = self.recipes[settings]
        steps = steps or recipe.steps
        method, network = members_of(methods, seeds, locality=recipe.locality)
        return build(
            Experiment,
            {
                "name": f"{self.name} {settings}",
                "task": dict(self.task),
                "network": {
                    "kind": "mlp",
                    "hidden": self.hidden,
                    "centred": recipe.centred,
                    "precision": recipe.precision,
                    **network,
                },
                "method": {
                    **method,
                    "offset": recipe.offset,
                    "reduction": recipe.reduction,
                    "biases_from": recipe.biases_from,
                    "form": "subgradient",
                    "schedule": recipe.schedule,
                    "interpolation": "constant",
                    "swap": {
                        "algorithm": "greedy",
                        "every": recipe.every,
                        "top_k": recipe.top_k,
                        **method["swap"],
                    },
                },
                "training": {
                    "steps": steps,
                    "batch": None,
                    "learning_rate": recipe.learning_rate,
                    "decay": "none",
                    "clip": 0.0,
                    "log_every": 200,
                    "evaluate_every": 200,
                    "checkpoint_every": 1000,
                    "snapshot_every": max(1, steps // SNAPSHOTS),
                },
            },
        )
