"""Pictures of statistics: nulls, lengths of connections, robustness."""

from brainrnn.plots.statistics.lengths import plot_lengths
from brainrnn.plots.statistics.null import plot_nulls
from brainrnn.plots.statistics.observed import plot_statistics
from brainrnn.plots.statistics.robustness import plot_robustness

__all__ = [
    "plot_lengths",
    "plot_nulls",
    "plot_robustness",
    "plot_statistics",
]
