"""Where neurons sit: statistics of a map, and the permutation test."""

from brainrnn.analysis.space.cluster_size import cluster_size
from brainrnn.analysis.space.isolated import fraction_isolated, neighbours
from brainrnn.analysis.space.lengths import connection_lengths
from brainrnn.analysis.space.mantel import mantel, similarity
from brainrnn.analysis.space.moran import morans_i
from brainrnn.analysis.space.patches import component_size, join_count
from brainrnn.analysis.space.permutation import permutation_test

__all__ = [
    "cluster_size",
    "component_size",
    "connection_lengths",
    "fraction_isolated",
    "join_count",
    "mantel",
    "morans_i",
    "neighbours",
    "permutation_test",
    "similarity",
]
