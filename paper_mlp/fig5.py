"""Figure 5 and Appendix D: addition modulo 59."""

from paper_mlp.reproduction import Expected, Recipe, Reproduction

PAPER = Recipe(
    schedule=((0, 0.1), (0.25, 1.0), (0.75, 0.1)),
    locality=2.0,
    offset=0.5,
    top_k=30,
    precision="float64",
    centred=False,
)
# The paper's Eq. 3 is a sum; the notebook takes the mean over each parameter.
NOTEBOOK = PAPER.model_copy(update={"reduction": "mean", "centred": True})

FIG5 = Reproduction(
    name="fig5",
    title="Modular addition",
    shows="Fig. 5; App. D (Fig. A5, seeds)",
    task={"suite": "groups", "names": ["addition"], "options": {"seed": 4}},
    hidden=(50, 50),
    recipes={"notebook": NOTEBOOK, "paper": PAPER},
    expected=Expected(
        column="modular addition",
        measure="test_accuracy",
        table1={"vanilla": (1.0, 0.0), "l1": (1.0, 0.0), "bimt": (1.0, 0.0)},
        table2={"vanilla": (0.194, 0.028), "l1": (0.435, 0.028), "bimt": (0.535, 0.027)},
    ),
)
