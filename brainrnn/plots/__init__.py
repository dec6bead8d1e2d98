"""Pictures. Those that plot return a matplotlib Figure; nothing is saved or shown unasked."""

from brainrnn.plots.animation import animate
from brainrnn.plots.brain_map import plot_map
from brainrnn.plots.figures import draw_all, draw_graphs, draw_statistics
from brainrnn.plots.lengths import plot_lengths
from brainrnn.plots.network import draw_network, draw_networks
from brainrnn.plots.null import plot_nulls
from brainrnn.plots.robustness import plot_robustness
from brainrnn.plots.statistics import plot_statistics
from brainrnn.plots.style import save_figure
from brainrnn.plots.training import plot_training
from brainrnn.plots.trial import plot_trial
from brainrnn.plots.variance_map import plot_task_variance

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
