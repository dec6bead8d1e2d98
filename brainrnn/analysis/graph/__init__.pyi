"""Public names; `__init__.py` imports each when it is first used."""

from .ablation import silence as silence
from .ablation import without_each_connection as without_each_connection
from .agreement import adjusted_mutual_information as adjusted_mutual_information
from .live import active_neurons as active_neurons
from .live import live_connections as live_connections
from .mixing import participation as participation
from .mixing import within_module_weight as within_module_weight
from .modularity import communities as communities
from .modularity import connection_graph as connection_graph
from .modularity import newman_modularity as newman_modularity
from .pruning import keep_largest as keep_largest
from .pruning import magnitude_ranks as magnitude_ranks
from .pruning import pruning_curve as pruning_curve
from .recurrent import graph_test as graph_test
from .stages import Stage as Stage
from .stages import stages as stages
