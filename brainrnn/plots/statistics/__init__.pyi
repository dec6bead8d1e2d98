"""Public names; `__init__.py` imports each when it is first used."""

from .lengths import plot_lengths as plot_lengths
from .null import plot_nulls as plot_nulls
from .observed import plot_statistics as plot_statistics
from .robustness import plot_robustness as plot_robustness
