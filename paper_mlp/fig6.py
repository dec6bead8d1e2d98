"""Figure 6 and Appendix E: the permutations of four objects."""

from paper_mlp import fig5
from paper_mlp.reproduction import Expected, Reproduction

NOTEBOOK = fig5.NOTEBOOK.model_copy(
    update={"learning_rate": 2e-3, "schedule": ((0, 1.0),), "locality": 1.0}
)

FIG6 = Reproduction(
    name="fig6",
    title="Permutations",
    shows="Fig. 6; App. E (Fig. A6, Eqs. A5-A9)",
    task={"suite": "groups", "names": ["permutation"], "options": {"seed": 1}},
    hidden=(50, 50),
    recipes={"notebook": NOTEBOOK, "paper": fig5.PAPER},
    expected=Expected(
        column="permutation",
        measure="train_accuracy",
        table1={"vanilla": (1.0, 0.0), "l1": (1.0, 0.0), "bimt": (1.0, 0.0)},
        table2={"vanilla": (0.129, 0.012), "l1": (0.371, 0.031), "bimt": (0.634, 0.043)},
    ),
)
