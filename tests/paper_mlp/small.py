"""All experiments of the paper on a few neurons, with coarse pictures."""

import contextlib
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from matplotlib.figure import Figure

from paper_mlp.circuits import subfunctions
from paper_mlp.experiments import EXPERIMENTS
from paper_mlp.outcome import Outcome

LIKE = ("--steps", "40", "--seeds", "2", "--methods", "l1,bimt")  # the runs that tests share


@contextlib.contextmanager
def small_experiments():
    """Make every experiment small; its checks, pictures, texts and numbers stay as they are."""
    savefig, least_squares = Figure.savefig, subfunctions.least_squares

    def coarse(figure, *arguments, **options):
        figure.set_layout_engine("none")
        savefig(figure, *arguments, **(options | {"dpi": 30}))

    with pytest.MonkeyPatch.context() as patch:
        for name, reproduction in EXPERIMENTS.items():
            options = dict(reproduction.task["options"])
            if "addition" in reproduction.task.get("names", ()):
                options["size"] = 7
            changes = {
                "hidden": (3,) * len(reproduction.hidden),
                "task": {**reproduction.task, "options": options},
                "perturbations": reproduction.perturbations[::6],  # the least and the largest
            }
            patch.setitem(EXPERIMENTS, name, replace(reproduction, **changes))
        patch.setattr(Figure, "savefig", coarse)
        patch.setattr(subfunctions, "least_squares", partial(least_squares, max_nfev=1))
        yield


def measured(reproduction, **columns):
    """The outcome of a run that never was: ``method`` and any other column of its table."""
    outcome = Outcome(reproduction, None)
    outcome.table = pd.DataFrame(columns)
    outcome.methods = list(columns["method"])
    return outcome
