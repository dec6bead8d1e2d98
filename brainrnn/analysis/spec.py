"""How an analysis is set, and the note of it that every result carries."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from brainrnn.analysis.activity.clustering import Clustering
from brainrnn.config import Count, Positive, Settings

Modules = Annotated[int, Field(ge=2, le=10**6)]  # how many


class AnalysisSpec(Settings):
    """How a trained network, or recorded activity, is analysed.

    Examples
    --------
    >>> AnalysisSpec(k=5, permutations=1000).neighbourhood
    1.5
    """

    trials: int = Field(256, ge=2, le=10**9, description="trials per task to record activity in")
    accuracy_trials: Count = Field(200, description="trials per task to measure accuracy in")
    active_threshold: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="summed task variance below which a neuron is inactive, as a fraction of that "
        "of the most active neuron",
    )
    k: Modules | None = Field(
        default=None,
        description="number of modules; unset: the one in k_range with the highest silhouette",
    )
    k_range: tuple[Modules, Modules] = Field(
        default=(8, 20), description="smallest and largest number of modules tried where k is unset"
    )
    clustering: Clustering = Field(
        default="kmeans",
        description="how neurons are grouped into modules: kmeans, agglomerative (Ward) or mixture "
        "(of Gaussians)",
    )
    neighbourhood: Literal["4", "8"] | Positive = Field(
        default=1.5,
        description="which neurons are neighbours: a radius in units of the spacing of the sites "
        "(1.5 holds the 8 neighbours on a plane grid), or on any grid 4 or 8 (as radii: 4.0, 8.0)",
    )
    permutations: int = Field(10_000, ge=1, le=10**8, description="random arrangements in the null")

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
        if self.k_range[0] > self.k_range[1]:
            raise ValueError(f"k_range must rise, got {list(self.k_range)}")
        return self


def provenance(spec: AnalysisSpec, seed: int) -> dict[str, object]:
    """Attributes that say how a dataset came about, in types that NetCDF knows."""
    packages = ("brainrnn", "torch", "numpy", "scikit-learn", "neurogym")
    settings = {key: value for key, value in spec.model_dump().items() if value is not None}
    settings["k_range"] = list(spec.k_range)
    return (
        {"seed": seed}
        | settings
        | {f"version_{package.replace('-', '_')}": _version(package) for package in packages}
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # not installed, or run from a checkout
        return "unknown"
