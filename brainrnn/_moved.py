"""Modules of version 0.1 under their former names, for one release, with a warning each."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "geometry": "anatomy.geometry",
    "wiring": "anatomy.wiring",
    "cost": "wiring_cost.cost",
    "strength": "wiring_cost.strength",
    "arrange": "wiring_cost.arrange",
    "swap": "wiring_cost.swap",
    "method": "wiring_cost.method",
    "flat": "training.flat",
    "checkpoint": "training.checkpoint",
    "snapshots": "training.snapshots",
    "experiment": "runs.experiment",
    "run": "runs.folder",
    "analysis.record": "analysis.activity.record",
    "analysis.variance": "analysis.activity.variance",
    "analysis.clustering": "analysis.activity.clustering",
    "analysis.permutation": "analysis.space.permutation",
    "analysis.spatial": "analysis.space.isolated",
    "analysis.patches": "analysis.space.patches",
    "analysis.autocorrelation": "analysis.space.moran",
    "analysis.mantel": "analysis.space.mantel",
    "analysis.lengths": "analysis.space.lengths",
    "analysis.stages": "analysis.graph.stages",
    "analysis.agreement": "analysis.graph.agreement",
    "analysis.mixing": "analysis.graph.mixing",
    "analysis.rewiring": "analysis.graph.rewiring",
    "analysis.greedy": "analysis.graph.greedy",
    "analysis.small_world": "analysis.graph.small_world",
    "analysis.recurrent": "analysis.graph.recurrent",
    "analysis.feedforward.ablation": "analysis.graph.ablation",
    "analysis.feedforward.pruning": "analysis.graph.pruning",
    "plots.brain_map": "plots.maps.brain_map",
    "plots.variance_map": "plots.maps.variance_map",
    "plots.network": "plots.networks.network",
    "plots.connections": "plots.networks.connections",
    "plots.layers": "plots.networks.layers",
    "plots.planes": "plots.networks.planes",
    "plots.rows": "plots.networks.rows",
    "plots.projection": "plots.networks.projection",
    "plots.labels": "plots.networks.labels",
    "plots.crowd": "plots.networks.crowd",
    "plots.animation": "plots.networks.animation",
    "plots.null": "plots.statistics.null",
    "plots.lengths": "plots.statistics.lengths",
    "plots.robustness": "plots.statistics.robustness",
}
_PREFIX = "brainrnn."


class _FormerModule(ModuleType):
    """A module under its former name."""


class _Former:
    """Finds a module under its former name (a finder and loader, as importlib asks for)."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.removeprefix(_PREFIX) in MOVED and fullname.startswith(_PREFIX):
            return ModuleSpec(fullname, self)  # type: ignore[arg-type]  # importlib.abc is slow
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        new = _PREFIX + MOVED[spec.name.removeprefix(_PREFIX)]
        warnings.warn(
            f"{spec.name} is now {new}; the former name goes with the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        module = _FormerModule(spec.name)
        module.__dict__.update(vars(import_module(new)))
        package, _, name = spec.name.rpartition(".")
        if name in sys.modules[package].__all__:
            _keep_functions(sys.modules[package])
        return module

    def exec_module(self, module: ModuleType) -> None:
        """All was done at its creation."""


def _keep_functions(package: ModuleType) -> None:
    """Let no former module take the place of a function, as it would of analysis.record."""
    kind = type(package)

    class Keeping(kind):  # type: ignore[misc, valid-type]
        def __setattr__(self, name: str, value: object) -> None:
            if not (isinstance(value, _FormerModule) and name in self.__all__):
                super().__setattr__(name, value)

    package.__class__ = Keeping


def install() -> None:
    """Let the former names be imported."""
    if not any(isinstance(finder, _Former) for finder in sys.meta_path):
        sys.meta_path.append(_Former())
