"""What neurons do: recorded activity, task variance, functional modules."""

from brainrnn.analysis.activity.clustering import cluster_units
from brainrnn.analysis.activity.record import Recordable, accuracy, record
from brainrnn.analysis.activity.variance import active_units, normalise, task_variance

__all__ = [
    "Recordable",
    "accuracy",
    "active_units",
    "cluster_units",
    "normalise",
    "record",
    "task_variance",
]
