"""What every experiment of the paper is described by, and how it becomes a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool
from pydantic import Field

from brainrnn.config import Settings
from brainrnn.errors import InputError
from brainrnn.runs.experiment import Experiment, build
from paper_mlp.facts import Fact
from paper_mlp.methods import METHODS, method_settings
from paper_mlp.panels import FinishedRun, Panel, Text
from tasks.fixed import FixedTask

_CLOSEST_SNAPSHOTS = 20  # steps

# Of a network of the experiment's kind: whether each member has a structure, (member,).
Check = Callable[[Any, FixedTask], Bool[np.ndarray, " member"]]
MeanAndSd = tuple[float, float]


class Recipe(Settings):
    """Settings of an experiment, in one of its two versions.

    ``schedule`` holds (fraction of training, lambda) pairs; ``top_k`` is k and ``every`` S of the
    paper's swaps; ``centred`` puts neuron j of n at (j + 1/2)/n instead of j/n;
    ``parameter_locality`` has factors on A; ``options`` are further ones of the task.
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
    batch: int | str = "all"
    parameter_locality: dict[str, float] = Field({})
    options: dict[str, float] = Field({})


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
class Reproduction:
    """An experiment of the paper.

    Attributes
    ----------
    name, title : str
    shows : str
        Figures and appendices of the paper that it covers.
    task : mapping
        Section ``task`` of the configuration.
    network : mapping
        What section ``network`` says beside the recipes.
    recipes : mapping
        ``notebook`` and ``paper``.
    checks : mapping
        Structures that the paper claims, by name.
    panels, texts : tuple
        What is drawn and written of a finished run, beside the connectivity graphs.
    expected : Expected, optional
        The paper's numbers, if it gives any.
    remarks : mapping
        Why a number of ours misses the paper's, where that is known, by cell: ``table1 bimt``.
    notes : tuple of str
        What else to know of the results, a sentence or two each.
    facts : mapping
        Numbers that remarks and notes quote as ``{name}``.
    perturbations : tuple of float
        Standard deviations of noise on the initial weights: a network for each.
    methods, seeds
        What is run where nothing else is asked for.
    instead : mapping, optional
        Section ``task`` where the data of ``task`` cannot be had.
    drawing : function, optional
        From the finished run to further arguments of :func:`brainrnn.plots.draw_network` for its
        connectivity graph.
    evaluate_every, snapshots : int
        Steps between two evaluations, and snapshots of the network in training.
    """

    name: str
    title: str
    shows: str
    task: Mapping[str, Any]
    network: Mapping[str, Any]
    recipes: Mapping[str, Recipe]
    checks: Mapping[str, Check] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    texts: tuple[Text, ...] = ()
    expected: Expected | None = None
    remarks: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    perturbations: tuple[float, ...] = (0.0,)
    methods: tuple[str, ...] = tuple(METHODS)
    seeds: int = 5
    instead: Mapping[str, Any] | None = None
    drawing: Callable[[FinishedRun], Mapping[str, Any]] | None = None
    evaluate_every: int = 200
    snapshots: int = 50

    def variants(self, *arguments: Any, **options: Any) -> list[Experiment]:
        """The configuration, and that with the data that need not be looked for, if there are."""
        asked = [False] if self.instead is None else [False, True]
        return [self.experiment(*arguments, **options, instead=choice) for choice in asked]

    def experiment(
        self,
        settings: str,
        methods: Sequence[str],
        seeds: int,
        *,
        steps: int | None = None,
        instead: bool = False,
    ) -> Experiment:
        """The configuration of a run: a member for every method, seed and perturbation.

        ``steps`` makes it shorter or longer than the recipe says; the schedule stretches with it.
        ``instead`` takes the data that need not be looked for.
        """
        recipe = self.recipes[settings]
        steps = steps or recipe.steps
        starts = [seed for seed in range(seeds) for _ in self.perturbations]
        members = len(methods) * len(starts)
        noise = self.perturbations * (members // len(self.perturbations))
        task = dict(self.instead if instead and self.instead else self.task)
        method = method_settings(methods, len(starts), locality=recipe.locality)
        return build(
            Experiment,
            {
                "name": f"{self.name} {settings}",
                "task": task | {"options": {**task.get("options", {}), **recipe.options}},
                "network": {
                    **self.network,
                    "centred": recipe.centred,
                    "precision": recipe.precision,
                    "members": members,
                    "starts": starts * len(methods),
                    "perturbation": noise[0] if len(self.perturbations) == 1 else noise,
                },
                "method": {
                    **method,
                    "offset": recipe.offset,
                    "reduction": recipe.reduction,
                    "biases_from": recipe.biases_from,
                    "parameter_locality": recipe.parameter_locality,
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
                    "batch": recipe.batch,
                    "learning_rate": recipe.learning_rate,
                    "decay": "none",
                    "clip": 0.0,
                    "log_every": 200,
                    "evaluate_every": self.evaluate_every,
                    "checkpoint_every": 1000,
                    "snapshot_every": max(_CLOSEST_SNAPSHOTS, steps // self.snapshots),
                },
            },
        )


def perceptron(*hidden: int) -> dict[str, Any]:
    """Section ``network`` of a multilayer perceptron on lines."""
    return {"kind": "mlp", "hidden": hidden}


def member_methods(experiment: Experiment) -> list[str]:
    """The method of every member of such an experiment.

    Raises
    ------
    InputError
        If the experiment was not made of these methods.
    """
    n = experiment.network.members
    spec = experiment.method
    columns = [
        value if isinstance(value, tuple) else (value,) * n
        for value in (spec.strength, spec.locality, spec.swap.locality)
    ]
    kinds = {(m.penalty, m.local, m.swap): name for name, m in METHODS.items()}
    try:
        return [kinds[a > 0, b > 0, c > 0] for a, b, c in zip(*columns, strict=True)]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "the run's members are not vanilla, L1, L1 + local, L1 + swap or BIMT: make it with "
            "`paper-mlp run`"
        ) from None
