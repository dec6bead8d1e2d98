"""Functional modules of a trained network, and whether they form a map in space."""

from brainrnn.analysis.brain import AnalysisSpec, analyse
from brainrnn.analysis.clustering import cluster_units
from brainrnn.analysis.permutation import permutation_test
from brainrnn.analysis.record import accuracy, record
from brainrnn.analysis.spatial import cluster_size, fraction_isolated, neighbours
from brainrnn.analysis.storage import load, save
from brainrnn.analysis.summary import as_json, summary
from brainrnn.analysis.variance import active_units, normalise, task_variance

__all__ = [
    "AnalysisSpec",
    "accuracy",
    "active_units",
    "analyse",
    "as_json",
    "cluster_size",
    "cluster_units",
    "fraction_isolated",
    "load",
    "neighbours",
    "normalise",
    "permutation_test",
    "record",
    "save",
    "summary",
    "task_variance",
]
