"""How neurons are connected: live connections, communities, rewired graphs."""

from brainrnn.analysis.graph.agreement import adjusted_mutual_information
from brainrnn.analysis.graph.live import active_neurons, live_connections
from brainrnn.analysis.graph.mixing import participation, within_module_weight
from brainrnn.analysis.graph.modularity import communities, connection_graph, newman_modularity
from brainrnn.analysis.graph.recurrent import graph_test
from brainrnn.analysis.graph.stages import Stage, stages

__all__ = [
    "Stage",
    "active_neurons",
    "adjusted_mutual_information",
    "communities",
    "connection_graph",
    "graph_test",
    "live_connections",
    "newman_modularity",
    "participation",
    "stages",
    "within_module_weight",
]
