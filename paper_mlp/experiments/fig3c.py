"""Figure 3c: a formula that is a composition of two."""

from paper_mlp.circuits.structure import one_neuron_carries, only_one_neuron_carries
from paper_mlp.experiments.fig3a import NOTEBOOK, PAPER
from paper_mlp.experiments.parts import (
    CLOSED_FORM,
    FITTED,
    INTERMEDIATE,
    L1_STRENGTH,
    PREDICTIONS,
    SUBFUNCTIONS,
)
from paper_mlp.facts import count_of_twenty, modularity_at, twenty_seeds
from paper_mlp.reproduction import Expected, Reproduction, perceptron

FIG3C = Reproduction(
    name="fig3c",
    title="Compositionality",
    shows="Fig. 3c; App. B (Figs. A2, A3, Eq. A3)",
    task={"suite": "formulas", "names": ["composition"], "options": {"seed": 3}},
    network=perceptron(20, 20, 20, 20),
    recipes={
        # The notebook never lowers lambda again.
        "notebook": NOTEBOOK.model_copy(update={"schedule": ((0, 1e-3), (0.25, 3e-3))}),
        "paper": PAPER,
    },
    checks={
        "one neuron of A3 carries I": one_neuron_carries,
        "and is the only active one": only_one_neuron_carries,
    },
    panels=(PREDICTIONS, INTERMEDIATE, SUBFUNCTIONS),
    texts=(CLOSED_FORM, FITTED),
    notes=(
        "Of 20 BIMT networks (`--methods bimt --seeds 20`), in {one_neuron_20} one neuron of A3 is "
        "all; their modularity is {modularity_20}.",
    ),
    remarks={
        "table1 bimt": "{loss_20} with `--methods bimt --seeds 20`",
        "table1 l1": L1_STRENGTH,
        "table2 vanilla": "untrained, the same networks have {untrained}; training without a "
        "penalty lowers that a little",
        "table2 l1": L1_STRENGTH,
    },
    facts={
        "one_neuron_20": count_of_twenty("fig3c-bimt", "and is the only active one"),
        "modularity_20": twenty_seeds("fig3c-bimt", "modularity"),
        "loss_20": twenty_seeds("fig3c-bimt", "test_loss"),
        "untrained": modularity_at(0, "vanilla"),
    },
    expected=Expected(
        column="symbolic (c)",
        measure="test_loss",
        table1={"vanilla": (1.2e-4, 0.5e-4), "l1": (1.8e-4, 0.4e-4), "bimt": (1.3e-3, 0.3e-3)},
        table2={"vanilla": (0.145, 0.023), "l1": (0.328, 0.027), "bimt": (0.392, 0.021)},
    ),
)
