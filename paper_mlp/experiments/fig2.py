"""Figure 2 and Appendix A: a toy regression with two modules, by five methods."""

from matplotlib.figure import Figure

from paper_mlp.circuits.structure import two_modules
from paper_mlp.experiments.fig3a import NOTEBOOK, PAPER
from paper_mlp.facts import measured
from paper_mlp.panels import FinishedRun, Panel
from paper_mlp.pruning import loss_when_pruned, parameters_left, plot_loss_when_pruned
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
        "The paper reads from Fig. 2 that BIMT loses less than L1; here L1 loses less ({l1_loss} "
        "against {bimt_loss}).",
        "The paper reads from Fig. A1 that BIMT and L1 + local prune best. That is not seen here: "
        "within twice the loss of the whole network, L1 leaves {l1_left} parameters, L1 + local "
        "{local_left}, BIMT {bimt_left}.",
        "L1 and L1 + swap are the same networks, differently placed: without locality, where a "
        "neuron sits changes nothing in training. So are their modularity and their modules.",
    ),
    facts={
        "l1_loss": measured("test_loss", "l1"),
        "bimt_loss": measured("test_loss", "bimt"),
        "l1_left": parameters_left("l1"),
        "local_left": parameters_left("l1_local"),
        "bimt_left": parameters_left("bimt"),
    },
)
