"""How much work a training step is, before anything is trained."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from pydantic import TypeAdapter

from brainrnn.networks import NetworkSpec
from brainrnn.runs.experiment import Experiment, TaskSpec, load_suite
from brainrnn.task import Trials


def multiplications(experiment: Experiment) -> float:
    """Of the forward pass of a training step, roughly: rows of a batch times parameters.

    0 of tasks or networks that cannot be built: whoever trains the network will say why.

    Examples
    --------
    >>> small, large = (Experiment(network={"shape": [n, n]}) for n in (4, 20))
    >>> 0 < multiplications(small) < multiplications(large) / 10
    True
    """
    task, network = (part.model_dump_json() for part in (experiment.task, experiment.network))
    return _multiplications(task, network, experiment.training.batch)


@lru_cache(maxsize=10_000)
def _multiplications(task: str, network: str, batch: int | Literal["all"]) -> float:
    try:
        suite = load_suite(TaskSpec.model_validate_json(task))
        spec = TypeAdapter[NetworkSpec](NetworkSpec).validate_json(network)
        entries = spec.members * spec.weights(suite)
        one = suite.sample(None if batch == "all" else batch, np.random.default_rng(0))
    except Exception:  # of tasks that may be the user's own
        return 0.0
    rows = int(one.lengths.sum()) if isinstance(one, Trials) else len(one)
    return float(rows * entries)
