"""Functional modules of a trained network, and whether they form a map in space."""

from brainrnn.analysis.activity.clustering import cluster_units
from brainrnn.analysis.activity.record import Recordable, accuracy, record
from brainrnn.analysis.activity.variance import active_units, normalise, task_variance
from brainrnn.analysis.brain import analyse
from brainrnn.analysis.feedforward import assess, feedforward_json, feedforward_table
from brainrnn.analysis.graph.agreement import adjusted_mutual_information
from brainrnn.analysis.graph.live import active_neurons, live_connections
from brainrnn.analysis.graph.mixing import participation, within_module_weight
from brainrnn.analysis.graph.modularity import communities, connection_graph, newman_modularity
from brainrnn.analysis.graph.recurrent import graph_test
from brainrnn.analysis.graph.stages import Stage, stages
from brainrnn.analysis.map_statistics import map_statistics
from brainrnn.analysis.neurons import Neurons
from brainrnn.analysis.recorded import analyse_recorded
from brainrnn.analysis.robustness import robustness
from brainrnn.analysis.space.cluster_size import cluster_size
from brainrnn.analysis.space.isolated import fraction_isolated, neighbours
from brainrnn.analysis.space.lengths import connection_lengths
from brainrnn.analysis.space.mantel import mantel, similarity
from brainrnn.analysis.space.moran import morans_i
from brainrnn.analysis.space.patches import component_size, join_count
from brainrnn.analysis.space.permutation import permutation_test
from brainrnn.analysis.spec import AnalysisSpec
from brainrnn.analysis.storage import load, save
from brainrnn.analysis.summary import as_json, statistics_table, summary

__all__ = [
    "AnalysisSpec",
    "Neurons",
    "Recordable",
    "Stage",
    "accuracy",
    "active_neurons",
    "active_units",
    "adjusted_mutual_information",
    "analyse",
    "analyse_recorded",
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
