"""A whole experiment as one configuration, and its results in one folder."""

from brainrnn.runs.experiment import Experiment, TaskSpec, build_network, load_experiment
from brainrnn.runs.folder import InterruptedRun, Run

__all__ = [
    "Experiment",
    "InterruptedRun",
    "Run",
    "TaskSpec",
    "build_network",
    "load_experiment",
]
