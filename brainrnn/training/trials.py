"""Whether the trials that a setting asks for fit into memory."""

from __future__ import annotations

import numpy as np

from brainrnn.memory import require_memory
from brainrnn.task import Suite


def require_trials(suite: Suite, trials: int, bytes_a_step: int, key: str) -> None:
    """See that trials, and what is computed in each of their steps, fit into memory.

    Parameters
    ----------
    suite : Suite
    trials : int
    bytes_a_step : int
        Of what is computed.
    key : str
        The setting that says how many trials.

    Raises
    ------
    InputError
        If they do not.

    Examples
    --------
    >>> from tasks import cog20
    >>> require_trials(cog20(), 100, 4 * 400, "training.batch")
    """
    steps = len(suite.sample(1, np.random.default_rng(0)).inputs)
    needed = trials * steps * (4 * suite.n_inputs + bytes_a_step)
    require_memory(needed, f"{trials:,} trials of about {steps:,} steps", f"lower {key}")
