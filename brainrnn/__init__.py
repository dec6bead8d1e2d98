"""Networks that must pay for their wiring: train them, and test whether a map has grown.

>>> import brainrnn as br
>>> br.grid(20, 20).shape
torch.Size([400, 2])
"""

from importlib.metadata import version

from brainrnn._moved import install as install_former_names
from brainrnn.analysis import (
    AnalysisSpec,
    analyse,
    as_json,
    cluster_units,
    map_statistics,
    permutation_test,
    robustness,
    statistics_table,
    summary,
    task_variance,
)
from brainrnn.anatomy.geometry import great_circle, grid, l1, l2, line, periodic, ring, sphere
from brainrnn.anatomy.module import PlacedModule, place
from brainrnn.anatomy.network import PlacedNetwork
from brainrnn.anatomy.populations import Anatomy, Population
from brainrnn.errors import InputError
from brainrnn.networks import MLP, RNN, MLPSpec, RNNSpec, Transformer, TransformerSpec
from brainrnn.plots import (
    plot_lengths,
    plot_map,
    plot_nulls,
    plot_robustness,
    plot_statistics,
    plot_task_variance,
    plot_training,
    plot_trial,
)
from brainrnn.runs.folder import Run
from brainrnn.task import Examples, Suite, Task, Trials
from brainrnn.training.loop import DivergedError, Trainer, TrainingSpec, train
from brainrnn.wiring_cost.cost import CostSpec, connection_cost
from brainrnn.wiring_cost.method import BIMT
from brainrnn.wiring_cost.swap import SwapSpec, relocate

__version__ = version("brainrnn")
install_former_names()

__all__ = [
    "BIMT",
    "MLP",
    "RNN",
    "AnalysisSpec",
    "Anatomy",
    "CostSpec",
    "DivergedError",
    "Examples",
    "InputError",
    "MLPSpec",
    "PlacedModule",
    "PlacedNetwork",
    "Population",
    "RNNSpec",
    "Run",
    "Suite",
    "SwapSpec",
    "Task",
    "Trainer",
    "TrainingSpec",
    "Transformer",
    "TransformerSpec",
    "Trials",
    "analyse",
    "as_json",
    "cluster_units",
    "connection_cost",
    "great_circle",
    "grid",
    "l1",
    "l2",
    "line",
    "map_statistics",
    "periodic",
    "permutation_test",
    "place",
    "plot_lengths",
    "plot_map",
    "plot_nulls",
    "plot_robustness",
    "plot_statistics",
    "plot_task_variance",
    "plot_training",
    "plot_trial",
    "relocate",
    "ring",
    "robustness",
    "sphere",
    "statistics_table",
    "summary",
    "task_variance",
    "train",
]
