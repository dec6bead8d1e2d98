"""What became of a recurrent network: accuracy, sparsity, wiring, and its map."""

from __future__ import annotations

from brainrnn.analysis.map_statistics import MEASURES
from brainrnn.study.answers import Answer
from brainrnn.study.subject import Subject
from brainrnn.study.wiring import wiring_length

OF_MAP = {
    "accuracy": "accuracy",
    "absent": "weights absent",
    "active": "active neurons",
    "modules": "modules",
    "wiring_length": "wiring length",
    **{f"{name}_z": f"z {words}" for name, words in MEASURES.items()},
}


def answer_of_map(subject: Subject) -> Answer:
    """A recurrent network's map, wiring and accuracy: an item for each of its members and tasks.

    Of networks that train side by side in one run, the facts are means.
    """
    every = subject.analysed()
    items = every[["accuracy", "ceiling"]].to_dataframe().add_prefix("task_").reset_index()
    network = {
        "accuracy": float(every.accuracy.mean()),
        "ceiling": float(every.ceiling.mean()),
        "absent": float(every.sparsity.mean()),
        "active": float(every.active.sum("unit").mean()),
        "modules": float(every.clusters.mean()),
        "wiring_length": float(wiring_length(subject.net)[0].mean()),
    }
    for name in MEASURES:
        tested = every.sel(statistic=name)
        network |= {f"{name}_{field}": float(tested[field].mean()) for field in ("z", "p")}
    return Answer(items[["member", "task", "task_accuracy", "task_ceiling"]], network)
