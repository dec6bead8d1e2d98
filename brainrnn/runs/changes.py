"""What may change in a run that has begun, and what may not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from brainrnn.config import build, override
from brainrnn.errors import InputError
from brainrnn.runs.experiment import Experiment

# None of these changes what was done before: how long to train, how often to look and to save.
MAY_CHANGE = (
    "training.steps",
    "training.log_every",
    "training.evaluate_every",
    "training.checkpoint_every",
    "training.snapshot_every",
    "analysis",
)


def lasting(experiment: Experiment) -> dict[str, Any]:
    """What of an experiment stays as it is once its run has begun, by section.

    Examples
    --------
    >>> sorted(lasting(Experiment()))
    ['method', 'name', 'network', 'seed', 'task', 'training']
    >>> "steps" in lasting(Experiment())["training"]
    False
    """
    excluded: dict[str, Any] = {"device": True}
    for key in MAY_CHANGE:
        section, _, name = key.partition(".")
        excluded[section] = {*excluded.get(section, ()), name} if name else True
    return experiment.model_dump(exclude=excluded)


def changed(
    experiment: Experiment, assignments: Iterable[str], keys: tuple[str, ...]
) -> Experiment:
    """The experiment with other values of some keys.

    Parameters
    ----------
    experiment : Experiment
    assignments : iterable of str
        ``section.key=value``, the value as in TOML.
    keys : tuple of str
        The keys, or whole sections, that may change.

    Returns
    -------
    Experiment

    Raises
    ------
    InputError
        If another key is assigned, or a value is wrong.

    Examples
    --------
    >>> changed(Experiment(), ["analysis.k=10"], ("analysis",)).analysis.k
    10
    """
    assignments = list(assignments)
    for assignment in assignments:
        key = assignment.partition("=")[0].strip()
        if not any(key == known or key.startswith(f"{known}.") for known in keys):
            raise InputError(
                f"cannot change {key!r} of a run: only {', '.join(keys)} may change, for example "
                "analysis.k=10; to change anything else, train again into a new folder"
            )
    return build(Experiment, override(experiment.model_dump(exclude_none=True), assignments))
