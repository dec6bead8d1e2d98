"""Pictures. Those that plot return a matplotlib Figure; nothing is saved or shown unasked."""

from brainrnn.plots.figures import draw_all, draw_graphs, draw_statistics
from brainrnn.plots.maps.brain_map import plot_map
from brainrnn.plots.maps.variance_map import plot_task_variance
from brainrnn.plots.networks.animation import animate
from brainrnn.plots.networks.network import draw_network, draw_networks
from brainrnn.plots.statistics.lengths import plot_lengths
from brainrnn.plots.statistics.null import plot_nulls
from brainrnn.plots.statistics.observed import plot_statistics
from brainrnn.plots.statistics.robustness import plot_robustness
from brainrnn.plots.style import save_figure
from brainrnn.plots.training import plot_training
from brainrnn.plots.trial import plot_trial

__all__ = [
    "animate",
    "draw_all",
    "draw_graphs",
    "draw_network",
    "draw_networks",
    "draw_statistics",
    "plot_lengths",
    "plot_map",
    "plot_nulls",
    "plot_robustness",
    "plot_statistics",
    "plot_task_variance",
    "plot_training",
    "plot_trial",
    "save_figure",
]
