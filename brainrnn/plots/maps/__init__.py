"""Pictures of recurrent networks: brain maps and task variances."""

from brainrnn.plots.maps.brain_map import plot_map
from brainrnn.plots.maps.variance_map import plot_task_variance

__all__ = [
    "plot_map",
    "plot_task_variance",
]
