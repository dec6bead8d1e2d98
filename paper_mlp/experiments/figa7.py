"""Figure A7 and Appendix F.2: regression in context whose answer has a singularity."""

import dataclasses

import numpy as np

from paper_mlp.experiments.fig7 import FIG7, NOTEBOOK, PAPER
from paper_mlp.facts import least_to_greatest
from paper_mlp.panels import FinishedRun, Text
from paper_mlp.regression.predictions import error_by_x1, worse_for_small_x1
from paper_mlp.regression.probes import probe_groups

_SINGULAR = {"w_low": -1.0, "w_high": 1.0, "x_low": -1.0, "x_high": 1.0}


def _errors(run: FinishedRun) -> str:
    return run.of_method("bimt", error_by_x1)


def _best(run: FinishedRun, size: int, column: str) -> np.ndarray:
    """The best neuron, or pair, of every BIMT network."""
    tables = [probe_groups(run.net, run.task, size, m) for m in run.members("bimt")]
    return np.array([table[column].max() for table in tables if len(table)] or [np.nan])


def _correlation(run: FinishedRun) -> str:
    return least_to_greatest(_best(run, 1, "correlation"), ".2f")


def _pair(run: FinishedRun) -> str:
    return least_to_greatest(100 * _best(run, 2, "r2"), ".0f") + " %"


FIGA7 = dataclasses.replace(
    FIG7,
    name="figA7",
    title="Singular regression in context",
    shows="Fig. A7; App. F.2",
    recipes={
        name: recipe.model_copy(update={"options": _SINGULAR})
        for name, recipe in (("notebook", NOTEBOOK), ("paper", PAPER))
    },
    checks={**FIG7.checks, "worse where x1 is small": worse_for_small_x1},
    panels=tuple(
        dataclasses.replace(panel, source=panel.source.replace("Fig. 7", "Fig. A7"))
        for panel in FIG7.panels
    ),
    texts=(*FIG7.texts, Text("errors", "Error by the size of x1 (App. F.2)", _errors)),
    notes=(
        "The paper finds neurons of Res2 that are correlated with w. Here the largest correlation "
        "is {correlation}: w and x1 are both as often positive as negative, and a neuron that "
        "depends on both need not follow either. The best pair tells {pair} of the variance of w.",
        "With `--settings paper`, whose cost is a sum, BIMT collapses: its test loss is the "
        "variance of y.",
    ),
    facts={"correlation": _correlation, "pair": _pair},
    remarks={},
    methods=("bimt",),
    expected=None,
)
