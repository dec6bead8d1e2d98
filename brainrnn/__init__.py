"""Networks that must pay for their wiring: train them, and test whether a map has grown.

>>> import brainrnn as br
>>> br.grid(20, 20).shape
torch.Size([400, 2])
"""

from importlib.metadata import version

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
from brainrnn.anatomy import Anatomy, PlacedNetwork, Population
from brainrnn.cost import CostSpec, connection_cost
from brainrnn.errors import InputError
from brainrnn.geometry import great_circle, grid, l1, l2, line, periodic, ring, sphere
from brainrnn.method import BIMT
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
from brainrnn.run import Run
from brainrnn.swap import SwapSpec, relocate
from brainrnn.task import Examples, Suite, Task, Trials
from brainrnn.training import DivergedError, Trainer, TrainingSpec, train

__version__ = version("brainrnn")

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
