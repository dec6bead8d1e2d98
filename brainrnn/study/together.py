"""Small networks train as members of one: they share the time that a step takes at least."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from brainrnn.runs.experiment import Experiment
from brainrnn.study.size import multiplications
from brainrnn.study.subject import Cell

# Larger networks gain too little to wait for each other (docs/performance.md).
_SMALL = 2.5e7  # multiplications in the forward pass of a step
_OF_EACH = ("strength", "locality")  # settings of the method of which each member has its own


def together(cells: Iterable[Cell], at_most: int) -> list[Cell]:
    """Networks of a study, where the small ones that can do so train as members of one.

    Members see the same trials, so they have the same seed. They may differ in the strength and in
    the locality of the connection cost and of the swaps. Who trains with whom follows from the
    study alone, and not from what is trained already or from who trains it.

    Parameters
    ----------
    cells : iterable of Cell
    at_most : int
        Members of one network; 1: each trains alone. On a GPU, where a step takes nearly as long
        for many members as for one, size does not matter.

    Returns
    -------
    list of Cell
        The same, in the same order.
    """
    cells = list(cells)
    alike: dict[str, dict[str, Experiment]] = {}
    for cell in cells:
        if cell.trained and not cell.folder and cell.experiment.network.members == 1:
            known = alike.setdefault(_common(cell.experiment), {})
            known.setdefault(_own(cell.experiment), cell.experiment)
    place: dict[tuple[str, str], tuple[Experiment, int]] = {}
    for common, members in alike.items():
        parts = math.ceil(len(members) / at_most)
        if parts == len(members) or not _is_small(next(iter(members.values()))):
            continue
        for part in (list(members.items())[i::parts] for i in range(parts)):  # of about equal size
            joint = _joint([experiment for _, experiment in part])
            place |= {(common, own): (joint, m) for m, (own, _) in enumerate(part)}
    return [_placed(cell, place) for cell in cells]


def _placed(cell: Cell, place: dict[tuple[str, str], tuple[Experiment, int]]) -> Cell:
    if not cell.trained:
        return cell
    joint, member = place.get((_common(cell.experiment), _own(cell.experiment)), (None, 0))
    return replace(cell, joint=joint, member=member)


def _is_small(experiment: Experiment) -> bool:
    return experiment.device != "cpu" or 0 < multiplications(experiment) <= _SMALL


def _common(experiment: Experiment) -> str:
    """What members of one network have in common."""
    values = experiment.model_dump(mode="json", exclude={"analysis", "name"}, exclude_none=True)
    for name in _OF_EACH:
        values["method"].pop(name)
    swap = values["method"]["swap"]
    swap["locality"] = "locality" in swap  # whether it has one of its own
    return json.dumps(values, sort_keys=True)


def _own(experiment: Experiment) -> str:
    """What members of one network may differ in."""
    method = experiment.method
    return repr([*(getattr(method, name) for name in _OF_EACH), method.swap.locality])


def _joint(experiments: Sequence[Experiment]) -> Experiment:
    """One experiment whose members are those of others, from the weights that each starts from."""
    first = experiments[0]
    starts = first.network.starts or (0,)
    network = {"members": len(experiments), "starts": starts * len(experiments)}
    methods = [one.method for one in experiments]
    method: dict[str, Any] = {
        name: tuple(_only(getattr(one, name)) for one in methods) for name in _OF_EACH
    }
    if first.method.swap.locality is not None:
        localities = tuple(_only(one.swap.locality) for one in methods)
        method["swap"] = first.method.swap.model_copy(update={"locality": localities})
    return first.model_copy(
        update={
            "name": "",
            "network": first.network.model_copy(update=network),
            "method": first.method.model_copy(update=method),
        }
    )


def _only(value: Any) -> float:
    """The value of a network's only member, which may stand in a list."""
    return value[0] if isinstance(value, tuple) else value
