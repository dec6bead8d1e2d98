"""Public names; `__init__.py` imports each when it is first used."""

from .figures import draw_all as draw_all
from .figures import draw_graphs as draw_graphs
from .figures import draw_statistics as draw_statistics
from .maps.brain_map import plot_map as plot_map
from .maps.variance_map import plot_task_variance as plot_task_variance
from .networks.animation import animate as animate
from .networks.network import draw_network as draw_network
from .networks.network import draw_networks as draw_networks
from .statistics.lengths import plot_lengths as plot_lengths
from .statistics.null import plot_nulls as plot_nulls
from .statistics.observed import plot_statistics as plot_statistics
from .statistics.robustness import plot_robustness as plot_robustness
from .style import save_figure as save_figure
from .training import plot_training as plot_training
from .trial import plot_trial as plot_trial
