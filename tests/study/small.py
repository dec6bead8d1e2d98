"""Studies that take seconds."""

from brainrnn.study import Study
from brainrnn.study.measures import Findings
from brainrnn.study.plan import build

EXPERIMENT = {
    "task": {"suite": "cog20", "names": ["go", "anti", "dm1"]},
    "network": {"shape": [4, 4]},
    "training": {
        "steps": 6,
        "batch": 8,
        "evaluation_trials": 4,
        "evaluate_every": 6,
        "log_every": 3,
        "checkpoint_every": 2,
    },
    "method": {"swap": {"every": 2}},
    "analysis": {"trials": 16, "accuracy_trials": 8, "permutations": 99, "k_range": [2, 4]},
}
METHODS = {
    "l1": {"label": "L1", "settings": ["method.locality=0.0", "method.swap.algorithm=none"]},
    "l1_placed": {
        "label": "L1, placed",
        "settings": ["method.locality=0.0", "method.swap.algorithm=none"],
        "arrangement": "descent",
    },
    "bimt": {"label": "BIMT"},
}


def small_study(**changes: object) -> Study:
    values = {
        "name": "small",
        "title": "A small study",
        "seeds": [1, 2],
        "experiment": EXPERIMENT,
        "methods": METHODS,
        "measure": {"kind": "map"},
    }
    return build(Study, values | changes)


def verdicts(found: Findings) -> dict[tuple[str, str], str]:
    """Of each claim about each method, or pair of methods."""
    return {(one.claim, one.networks): one.verdict for one in found.claims}
