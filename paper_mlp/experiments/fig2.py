"""Figure 2 and Appendix A: a toy regression with two modules, by five methods."""

from matplotlib.figure import Figure

from paper_mlp.circuits.pruning import plot_pruning, pruning_frontier
from paper_mlp.circuits.structure import two_modules
from paper_mlp.experiments.fig3a import NOTEBOOK, PAPER
from paper_mlp.experiments.reproduction import Panel, Reproduction
from paper_mlp.outcome import Outcome


def _pruning(outcome: Outcome) -> Figure:
    return plot_pruning(pruning_frontier(outcome.net, outcome.task), outcome.methods)


FIG2 = Reproduction(
    name="fig2",
    title="Two products",
    shows="Fig. 2; App. A (Fig. A1)",
    task={"suite": "formulas", "names": ["products"], "options": {"seed": 0}},
    hidden=(20, 20),
    recipes={"notebook": NOTEBOOK, "paper": PAPER},
    checks={"two modules": two_modules},
    panels=(Panel("pruning", "Fig. A1", _pruning),),
)
