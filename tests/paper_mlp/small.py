"""All experiments of the paper on a few neurons, with coarse pictures."""

import contextlib
from functools import partial

import pandas as pd
import pytest
from matplotlib.figure import Figure

from paper_mlp.circuits import subfunctions
from paper_mlp.experiments import EXPERIMENTS, Reproduction
from paper_mlp.outcome import Outcome

LIKE = ("--steps", "40", "--seeds", "2", "--methods", "l1,bimt")  # the runs that tests share


def _small(reproduction):
    task, network = dict(reproduction.task), dict(reproduction.network)
    options = dict(task.get("options", {}))
    if "addition" in task.get("names", ()):
        options["size"] = 7
    if task["suite"] == "in_context":
        options["examples"] = 60
    if task["suite"] == "images":
        task["names"] = ["digits"]
    if network["kind"] == "mlp":
        planes = network.get("layout") == "planes"
        network |= {"hidden": (4 if planes else 2,) * len(network["hidden"]), "embedding": 4}
    else:
        network |= {"width": 4, "expansion": 1}
    changes = {
        "network": network,
        "task": {**task, "options": options},
        "instead": None,
        "perturbations": reproduction.perturbations[::6],  # the least and the largest
    }
    return Reproduction(**(vars(reproduction) | changes))


@contextlib.contextmanager
def coarse_pictures():
    """Draw quickly: few pixels, no search for a layout, one of the two forms of a picture."""
    savefig = Figure.savefig

    def coarse(figure, file, **options):
        if options.get("format") == "svg":
            figure = Figure()
        figure.set_layout_engine("none")
        savefig(figure, file, **(options | {"dpi": 30}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", coarse)
        yield


@contextlib.contextmanager
def small_experiments():
    """Make every experiment small; its checks, pictures, texts and numbers stay as they are."""
    least_squares = subfunctions.least_squares
    with coarse_pictures(), pytest.MonkeyPatch.context() as patch:
        for name, reproduction in EXPERIMENTS.items():
            patch.setitem(EXPERIMENTS, name, _small(reproduction))
        patch.setattr(subfunctions, "least_squares", partial(least_squares, max_nfev=1))
        yield


def measured(reproduction, **columns):
    """The outcome of a run that never was: ``method`` and any other column of its table."""
    outcome = Outcome(reproduction, None)
    outcome.published, outcome.instead, outcome.untrained = True, False, {}
    outcome.table = outcome.measured = pd.DataFrame(columns)
    outcome.methods = list(columns["method"])
    outcome.facts = dict.fromkeys(reproduction.facts, "nothing")
    return outcome


def files(folder):
    """Every file below a folder, with its content."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def written(root):
    """When each file below a folder was written, but for what reading a run writes again."""
    files = (p for p in root.rglob("*") if p.is_file() and p.name != "analysis.nc")
    return {p: p.stat().st_mtime_ns for p in files}
