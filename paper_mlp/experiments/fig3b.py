"""Figure 3b: three outputs that share features."""

from paper_mlp.circuits.structure import one_input_each, only_three_squares, three_squares
from paper_mlp.experiments.fig3a import NOTEBOOK, PAPER
from paper_mlp.experiments.parts import (
    CLOSED_FORM,
    FITTED,
    INTERMEDIATE,
    L1_STRENGTH,
    PREDICTIONS,
    SUBFUNCTIONS,
)
from paper_mlp.facts import twenty_seeds
from paper_mlp.reproduction import Expected, Reproduction, perceptron

FIG3B = Reproduction(
    name="fig3b",
    title="Feature sharing",
    shows="Fig. 3b; App. B (Fig. A2, Eq. A2)",
    task={"suite": "formulas", "names": ["sharing"], "options": {"seed": 4}},
    network=perceptron(20, 20),
    recipes={"notebook": NOTEBOOK, "paper": PAPER},
    checks={
        "three squares in A2": three_squares,
        "nothing but three squares in A2": only_three_squares,
        "every neuron of A2 depends on one input": one_input_each,
    },
    panels=(PREDICTIONS, INTERMEDIATE, SUBFUNCTIONS),
    texts=(CLOSED_FORM, FITTED),
    notes=(
        "Most networks share the squares without having a neuron for each: a square is the sum of "
        "two neurons, one for either sign of its input.",
    ),
    remarks={
        "table1 bimt": "{bimt_20} with `--methods bimt --seeds 20`; unexplained",
        "table1 l1": L1_STRENGTH,
        "table2 l1": L1_STRENGTH,
    },
    facts={"bimt_20": twenty_seeds("fig3b-bimt", "test_loss")},
    expected=Expected(
        column="symbolic (b)",
        measure="test_loss",
        table1={"vanilla": (1.1e-5, 0.4e-5), "l1": (1.2e-5, 0.3e-5), "bimt": (8.0e-5, 1.5e-5)},
        table2={"vanilla": (0.151, 0.015), "l1": (0.456, 0.035), "bimt": (0.543, 0.063)},
    ),
)
