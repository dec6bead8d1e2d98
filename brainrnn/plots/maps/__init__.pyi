"""Public names; `__init__.py` imports each when it is first used."""

from .brain_map import plot_map as plot_map
from .variance_map import plot_task_variance as plot_task_variance
