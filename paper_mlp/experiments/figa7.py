"""Figure A7 and Appendix F.2: regression in context whose answer has a singularity."""

import dataclasses

from paper_mlp.experiments.fig7 import FIG7, NOTEBOOK, PAPER
from paper_mlp.panels import FinishedRun, Text
from paper_mlp.regression.predictions import error_by_x1, worse_for_small_x1

_SINGULAR = {"w_low": -1.0, "w_high": 1.0, "x_low": -1.0, "x_high": 1.0}


def _errors(run: FinishedRun) -> str:
    return run.of_method("bimt", error_by_x1)


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
        "is 0.05 to 0.26: w and x1 are both as often positive as negative, and a neuron that "
        "depends on both need not follow either. The best pair tells 22 to 76 % of the variance "
        "of w.",
        "With `--settings paper`, whose cost is a sum, BIMT collapses to a test loss of 0.111, the "
        "variance of y.",
    ),
    remarks={},
    methods=("bimt",),
    expected=None,
)
