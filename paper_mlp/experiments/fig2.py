"""Figure 2 and Appendix A: a toy regression with two modules, by five methods."""

from matplotlib.figure import Figure

from paper_mlp.circuits.structure import two_modules
from paper_mlp.experiments.fig3a import NOTEBOOK, PAPER
from paper_mlp.panels import FinishedRun, Panel
from paper_mlp.pruning import loss_when_pruned, plot_loss_when_pruned
from paper_mlp.reproduction import Reproduction, perceptron


def _pruning(run: FinishedRun) -> Figure:
    return plot_loss_when_pruned(loss_when_pruned(run.net, run.task), run.methods)


FIG2 = Reproduction(
    name="fig2",
    title="Two products",
    shows="Fig. 2; App. A (Fig. A1)",
    task={"suite": "formulas", "names": ["products"], "options": {"seed": 0}},
    network=perceptron(20, 20),
    recipes={"notebook": NOTEBOOK, "paper": PAPER},
    checks={"two modules": two_modules},
    panels=(Panel("pruning", "Fig. A1", _pruning),),
    notes=(
        "The paper reads from Fig. 2 that BIMT loses less than L1; here L1 loses less (8.2e-4 "
        "against 1.1e-3, five seeds).",
        "The paper reads from Fig. A1 that BIMT and L1 + local prune best. That is not seen here: "
        "within twice the loss of the whole network, L1 leaves 26 to 36 parameters, L1 + local 26 "
        "to 35, BIMT 25 to 35.",
        "L1 and L1 + swap are the same networks, differently placed: without locality, where a "
        "neuron sits changes nothing in training. So are their modularity and their modules.",
    ),
)
