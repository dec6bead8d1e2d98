"""The whole analysis of a trained recurrent network, as one labelled dataset."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np
import torch
import xarray as xr
from pydantic import Field, PositiveInt, field_validator, model_validator
from torch import Tensor

from brainrnn.analysis.activity.clustering import Clustering, cluster_units
from brainrnn.analysis.activity.record import accuracy, record
from brainrnn.analysis.activity.variance import active_units, task_variance
from brainrnn.analysis.space.cluster_size import cluster_size
from brainrnn.analysis.space.isolated import fraction_isolated, neighbours
from brainrnn.analysis.space.permutation import permutation_test
from brainrnn.config import Settings
from brainrnn.networks import RNN
from brainrnn.task import Suite
from brainrnn.wiring_cost.strength import ABSENT, present


class AnalysisSpec(Settings):
    """How a trained network is analysed."""

    trials: int = Field(default=256, ge=2, description="trials per task to record activity in")
    accuracy_trials: PositiveInt = Field(
        default=200, description="trials per task to measure accuracy in"
    )
    active_threshold: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="summed task variance below which a neuron is inactive, as a fraction of that "
        "of the most active neuron",
    )
    k: int | None = Field(
        default=None,
        ge=2,
        description="number of modules; unset: the one in k_range with the highest silhouette",
    )
    k_range: tuple[int, int] = Field(
        default=(8, 20), description="smallest and largest number of modules tried where k is unset"
    )
    clustering: Clustering = Field(
        default="kmeans",
        description="how neurons are grouped into modules: kmeans, agglomerative (Ward) or mixture "
        "(of Gaussians)",
    )
    neighbourhood: Literal["4", "8"] | float = Field(
        default=1.5,
        description="which neurons are neighbours: a radius in units of the spacing of the sites "
        "(1.5 holds the 8 neighbours on a plane grid), or on any grid 4 or 8 (as radii: 4.0, 8.0)",
    )
    permutations: PositiveInt = Field(default=10_000, description="random arrangements in the null")

    @field_validator("neighbourhood", mode="before")
    @classmethod
    def _neighbourhood(cls, value: object) -> object:
        if isinstance(value, int) and value in (4, 8):
            return str(value)
        if value in ("4", "8") or (isinstance(value, int | float) and value > 0):
            return value
        raise ValueError("expected 4, 8 or a radius above 0")

    @model_validator(mode="after")
    def _ordered_range(self) -> AnalysisSpec:
        if not 2 <= self.k_range[0] <= self.k_range[1]:
            raise ValueError(f"k_range must rise from at least 2, got {list(self.k_range)}")
        return self


def analyse(
    net: RNN,
    suite: Suite,
    spec: AnalysisSpec = AnalysisSpec(),  # noqa: B008 - frozen
    *,
    seed: int = 0,
    connection_cost: Tensor | None = None,
) -> xr.Dataset:
    """Find a network's functional modules and test whether they form a map in space.

    Records every task, computes task variances, groups the active neurons, and compares the
    fraction of isolated neurons and the average cluster size with random arrangements of the same
    modules over the same active neurons ("Growing Brains", arXiv:2310.07711).

    Parameters
    ----------
    net : RNN
    suite : Task
        The tasks it was trained on.
    spec : AnalysisSpec
    seed : int
        Of trials, k-means and permutations. A network's result does not depend on how many others
        are analysed with it.
    connection_cost : (member,), optional
        The network's connection cost, kept in the result; NaN if not given.

    Returns
    -------
    Dataset
        Over member, unit, task, space, source, statistic and permutation: ``task_variance``,
        ``active``, ``module``, ``position``, ``weight`` (post x pre; of a GRU's gates the largest
        in magnitude), ``clusters``, ``silhouette``, ``accuracy``, ``ceiling``,
        ``connection_cost``, ``sparsity`` (fraction of recurrent weights with a magnitude of at
        most 1e-3 of the largest) and the variables of :func:`permutation_test`.

    Raises
    ------
    InputError
        If the suite is not the network's, or ``spec.k`` is more than any network's active neurons.
    """
    answers, trials, clusters, null = streams(seed)
    scores = accuracy(net, suite, trials=spec.accuracy_trials, rng=np.random.default_rng(answers))
    rng = np.random.default_rng(trials)
    variance = xr.concat(
        [  # one task at a time bounds the memory
            task_variance(record(net, suite, task, trials=spec.trials, rng=rng))
            for task in suite.names
        ],
        xr.DataArray(list(suite.names), dims="task", name="task"),
    ).transpose("member", "unit", "task")
    active = active_units(variance, spec.active_threshold)
    modules = cluster_units(
        variance,
        active=active,
        k=spec.k,
        k_range=spec.k_range,
        seed=int(clusters.generate_state(1)[0]),
        method=spec.clustering,
    )
    position = net.anatomy.positions("hidden").detach().cpu().numpy()
    device = net.get_parameter("w_rec").device
    tests = xr.concat(
        [
            map_test(
                position[i],
                modules.module.values[i],
                active.values[i],
                neighbourhoods={"isolated": spec.neighbourhood},
                n=spec.permutations,
                seed=null,
                device=device,
            )
            for i in range(len(position))
        ],
        "member",
        combine_attrs="override",
    )
    cost = np.full(len(position), np.nan) if connection_cost is None else connection_cost
    return xr.Dataset(
        {
            **modules.data_vars,
            **tests.data_vars,
            **_weights(net),
            "task_variance": variance,
            "active": active,
            "position": (("member", "unit", "space"), position, _describe("place of each neuron")),
            "accuracy": scores,
            "ceiling": ("task", suite.ceiling(), _describe("best possible accuracy")),
            "connection_cost": (
                "member",
                torch.as_tensor(cost).detach().cpu().numpy(),
                _describe("connection cost"),
            ),
        },
        coords={"space": [*"xyz", *map(str, range(4, 1 + position.shape[2]))][: position.shape[2]]},
        attrs=_provenance(spec, seed),
    )


def map_test(
    position: np.ndarray,
    module: np.ndarray,
    active: np.ndarray,
    *,
    neighbourhoods: Mapping[str, str | float],
    n: int,
    seed: np.random.SeedSequence,
    device: torch.device | str = "cpu",
) -> xr.Dataset:
    """Test one network's map by both measures of "Growing Brains".

    Parameters
    ----------
    position : (unit, space)
    module : (unit,) int
    active : (unit,) bool
    neighbourhoods : mapping of str to neighbourhood
        Names for the fraction of isolated neurons in each neighbourhood.
    n : int
        Number of permutations.
    seed : SeedSequence
    device : torch device

    Returns
    -------
    Dataset
        As from :func:`permutation_test`, the average cluster size last; NaN if no neuron is active.
    """
    someone = active if active.any() else np.arange(len(active)) == 0
    place = position[someone]
    isolated = {
        name: fraction_isolated(neighbours(place, kind, sites=position))
        for name, kind in neighbourhoods.items()
    }
    test = permutation_test(
        isolated | {"cluster_size": cluster_size(place)},
        module[someone],
        n=n,
        seed=seed,
        alternative="less",
        device=device,
    )
    return test if active.any() else xr.full_like(test, np.nan)


def streams(seed: int) -> list[np.random.SeedSequence]:
    """Seeds of accuracy, of recorded trials, of clusterings and of permutations."""
    return np.random.SeedSequence(seed).spawn(4)


def _weights(net: RNN) -> dict[str, tuple]:
    stacked = net.get_parameter("w_rec").detach().cpu()
    sparsity = (~present(stacked)).double().mean((1, 2))
    gates = stacked.unflatten(1, (-1, stacked.shape[2]))  # (member, gate, unit, source)
    weight = gates.gather(1, gates.abs().argmax(1, keepdim=True))[:, 0]
    return {
        "weight": (
            ("member", "unit", "source"),
            weight.numpy(),
            _describe("recurrent weight onto unit from source"),
        ),
        "sparsity": (
            "member",
            sparsity.numpy(),
            _describe("fraction of recurrent weights that are absent") | {"threshold": ABSENT},
        ),
    }


def _describe(long_name: str) -> dict[str, str]:
    return {"long_name": long_name, "units": "1"}


def _provenance(spec: AnalysisSpec, seed: int) -> dict[str, object]:
    """Attributes that say how the dataset came about, in types that NetCDF knows."""
    packages = ("brainrnn", "torch", "numpy", "scikit-learn", "neurogym")
    settings = {key: value for key, value in spec.model_dump().items() if value is not None}
    settings["k_range"] = list(spec.k_range)
    return (
        {"title": "brainrnn analysis", "seed": seed}
        | settings
        | {f"version_{package.replace('-', '_')}": _version(package) for package in packages}
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"
