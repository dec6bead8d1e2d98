"""Pictures and texts that several experiments share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from brainrnn.plots import draw_networks
from paper_mlp.circuits.closed_form import closed_formulas
from paper_mlp.circuits.predictions import plot_intermediate, plot_predictions
from paper_mlp.circuits.subfunctions import fit_subfunctions, plot_subfunctions
from paper_mlp.panels import FinishedRun, Panel, Text
from tasks.fixed import FixedTask

L1_STRENGTH = (
    "the paper does not say how strong its L1 penalty is; here it is as strong as BIMT's, on the "
    "same schedule"
)


def picture(draw: Callable[[Any, FixedTask, int], Figure]) -> Callable[[FinishedRun], Figure]:
    """Draw one network, the one that the run shows."""
    return lambda run: draw(run.net, run.task, run.shown)


def numbered_inputs(run: FinishedRun) -> dict[str, Any]:
    """Number the input neurons of a drawn network, whose tokens have no labels."""
    return {"numbers": ("input",)}


def gallery(run: FinishedRun) -> Figure:
    """Draw all BIMT networks, or else all there are."""
    members = run.members("bimt") or range(run.net.members)
    return draw_networks([(run.label(m), run.net, m) for m in members], columns=3)


def _formulas(run: FinishedRun) -> str:
    formulas = closed_formulas(run.net, run.task, run.shown)
    return "\n".join(
        f"{f.text}\n    off the network by at most {f.max_error:.2g} (rms {f.rms_error:.2g})"
        for f in formulas
    )


def _fits(run: FinishedRun) -> str:
    lines = []
    for fit in fit_subfunctions(run.net, run.task, run.shown):
        for kind, formula in (("learned", fit.learned), ("fitted", fit.fitted)):
            lines.append(
                f"{fit.label} of {fit.variable}, {kind}: {formula.text}\n"
                f"    error at most {formula.max_error:.2g} (rms {formula.rms_error:.2g})"
            )
    return "\n".join(lines)


PREDICTIONS = Panel("predictions", "Fig. A2", picture(plot_predictions))
INTERMEDIATE = Panel("intermediate", "Fig. A3", picture(plot_intermediate))
SUBFUNCTIONS = Panel(
    "subfunctions",
    "Eqs. A1-A3",
    lambda run: plot_subfunctions(fit_subfunctions(run.net, run.task, run.shown)),
)
CLOSED_FORM = Text("formula", "The network as a closed formula (Eqs. A1-A4)", _formulas)
FITTED = Text("subfunctions", "Sub-functions as learned, and fitted back (Eqs. A1-A3)", _fits)
