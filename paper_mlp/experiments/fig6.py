"""Figure 6 and Appendix E: the permutations of four objects."""

from paper_mlp.experiments import fig5
from paper_mlp.experiments.parts import numbered_inputs, picture
from paper_mlp.facts import least_to_greatest
from paper_mlp.groups.cayley import plot_cayley
from paper_mlp.groups.characters import irreducible_table
from paper_mlp.groups.permutations import (
    active_dimensions,
    has_sign_neuron,
    matrix_dimensions,
    plot_embedding,
)
from paper_mlp.groups.representations import representation_table
from paper_mlp.panels import FinishedRun, Panel, Text
from paper_mlp.reproduction import Expected, Reproduction, perceptron


def _linear(run: FinishedRun) -> str:
    return run.of_method("bimt", representation_table)


def _shares(run: FinishedRun) -> str:
    return run.of_method("bimt", irreducible_table)


def _dimensions(run: FinishedRun) -> str:
    return least_to_greatest(active_dimensions(run.net.select(*run.members("bimt"))), "d")


NOTEBOOK = fig5.NOTEBOOK.model_copy(
    update={"learning_rate": 2e-3, "schedule": ((0, 1.0),), "locality": 1.0}
)

FIG6 = Reproduction(
    name="fig6",
    title="Permutations",
    shows="Fig. 6; App. E (Fig. A6, Eqs. A5-A9)",
    task={"suite": "groups", "names": ["permutation"], "options": {"seed": 1}},
    network=perceptron(50, 50),
    drawing=numbered_inputs,
    recipes={"notebook": NOTEBOOK, "paper": fig5.PAPER},
    checks={"nine active dimensions": matrix_dimensions, "sign neuron": has_sign_neuron},
    panels=(
        Panel("embedding", "Fig. 6, right", picture(plot_embedding)),
        Panel("cayley", "Fig. A6", picture(plot_cayley)),
    ),
    texts=(
        Text("representation", "Embedding against the 3 x 3 representation (A5-A8)", _linear),
        Text("irreducible", "Shares of the irreducible representations", _shares),
    ),
    notes=(
        "The paper concludes from L = 0.56 (A6) that the embedding is not a linear function of "
        "the group. A changes nothing in A5, since V can undo it, so that the minimum is that of "
        "linear least squares; and L is the share of the embedding that lies in the other "
        "irreducible representations, linearly. By that share the networks differ between seeds.",
        "The effective dimensions (A8) of the three tetrahedra (A9) are 120, 108 and 153, as in "
        "the paper.",
    ),
    remarks={
        "table2 bimt": "unexplained; these networks keep {dimensions} active dimensions, the "
        "figure's nine",
    },
    facts={"dimensions": _dimensions},
    expected=Expected(
        column="permutation",
        measure="train_accuracy",
        table1={"vanilla": (1.0, 0.0), "l1": (1.0, 0.0), "bimt": (1.0, 0.0)},
        table2={"vanilla": (0.129, 0.012), "l1": (0.371, 0.031), "bimt": (0.634, 0.043)},
    ),
)
