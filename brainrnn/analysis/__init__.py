"""Functional modules of a trained network, and whether they form a map in space."""

from brainrnn.analysis.agreement import adjusted_mutual_information
from brainrnn.analysis.autocorrelation import morans_i
from brainrnn.analysis.brain import AnalysisSpec, analyse
from brainrnn.analysis.clustering import cluster_units
from brainrnn.analysis.feedforward import assess, feedforward_json, feedforward_table
from brainrnn.analysis.graph import (
    active_neurons,
    communities,
    connection_graph,
    live_connections,
    newman_modularity,
)
from brainrnn.analysis.lengths import connection_lengths
from brainrnn.analysis.mantel import mantel, similarity
from brainrnn.analysis.map_statistics import map_statistics, statistics_table
from brainrnn.analysis.mixing import participation, within_module_weight
from brainrnn.analysis.patches import component_size, join_count
from brainrnn.analysis.permutation import permutation_test
from brainrnn.analysis.record import accuracy, record
from brainrnn.analysis.recurrent import graph_test
from brainrnn.analysis.robustness import robustness
from brainrnn.analysis.spatial import cluster_size, fraction_isolated, neighbours
from brainrnn.analysis.stages import Stage, stages
from brainrnn.analysis.storage import load, save
from brainrnn.analysis.summary import as_json, summary
from brainrnn.analysis.variance import active_units, normalise, task_variance

__all__ = [
    "AnalysisSpec",
    "Stage",
    "accuracy",
    "active_neurons",
    "active_units",
    "adjusted_mutual_information",
    "analyse",
    "as_json",
    "assess",
    "cluster_size",
    "cluster_units",
    "communities",
    "component_size",
    "connection_graph",
    "connection_lengths",
    "feedforward_json",
    "feedforward_table",
    "fraction_isolated",
    "graph_test",
    "join_count",
    "live_connections",
    "load",
    "mantel",
    "map_statistics",
    "morans_i",
    "neighbours",
    "newman_modularity",
    "normalise",
    "participation",
    "permutation_test",
    "record",
    "robustness",
    "save",
    "similarity",
    "stages",
    "statistics_table",
    "summary",
    "task_variance",
    "within_module_weight",
]
