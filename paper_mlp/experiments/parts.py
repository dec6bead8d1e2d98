"""Pictures and texts that several experiments share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from brainrnn.plots import draw_networks
from paper_mlp.circuits.closed_form import closed_formulas
from paper_mlp.circuits.predictions import plot_intermediate, plot_predictions
from paper_mlp.circuits.subfunctions import fit_subfunctions, plot_subfunctions
from paper_mlp.outcome import Outcome
from paper_mlp.reproduction import Panel, Text
from tasks.fixed import FixedTask

L1_STRENGTH = (
    "the paper does not say how strong its L1 penalty is; here it is as strong as BIMT's, on the "
    "same schedule"
)


def picture(draw: Callable[[Any, FixedTask, int], Figure]) -> Callable[[Outcome], Figure]:
    """Draw one network, the one that the outcome shows."""
    return lambda outcome: draw(outcome.net, outcome.task, outcome.shown)


def numbered_inputs(outcome: Outcome) -> dict[str, Any]:
    """Number the input neurons of a drawn network, whose tokens have no labels."""
    return {"numbers": ("input",)}


def gallery(outcome: Outcome) -> Figure:
    """Draw all BIMT networks, or else all there are."""
    members = outcome.members("bimt") or range(outcome.net.members)
    return draw_networks([(outcome.label(m), outcome.net, m) for m in members], columns=3)


def _formulas(outcome: Outcome) -> str:
    formulas = closed_formulas(outcome.net, outcome.task, outcome.shown)
    return "\n".join(
        f"{f.text}\n    off the network by at most {f.max_error:.2g} (rms {f.rms_error:.2g})"
        for f in formulas
    )


def _fits(outcome: Outcome) -> str:
    lines = []
    for fit in fit_subfunctions(outcome.net, outcome.task, outcome.shown):
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
    lambda outcome: plot_subfunctions(fit_subfunctions(outcome.net, outcome.task, outcome.shown)),
)
CLOSED_FORM = Text("formula", "The network as a closed formula (Eqs. A1-A4)", _formulas)
FITTED = Text("subfunctions", "Sub-functions as learned, and fitted back (Eqs. A1-A3)", _fits)
