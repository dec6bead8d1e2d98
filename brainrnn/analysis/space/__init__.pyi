"""Public names; `__init__.py` imports each when it is first used."""

from .cluster_size import cluster_size as cluster_size
from .isolated import fraction_isolated as fraction_isolated
from .isolated import neighbours as neighbours
from .lengths import connection_lengths as connection_lengths
from .mantel import mantel as mantel
from .mantel import similarity as similarity
from .moran import morans_i as morans_i
from .patches import component_size as component_size
from .patches import join_count as join_count
from .permutation import permutation_test as permutation_test
