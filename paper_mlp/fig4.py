"""Figure 4 and Appendix C: two moons."""

from paper_mlp.fig3a import PAPER
from paper_mlp.reproduction import Expected, Recipe, Reproduction

FIG4 = Reproduction(
    name="fig4",
    title="Two moons",
    shows="Fig. 4; App. C (Fig. A4, Eq. A4)",
    task={"suite": "two_moons", "options": {"seed": 1}},
    hidden=(20, 20),
    recipes={
        "notebook": Recipe(
            steps=10_001,
            learning_rate=2e-3,
            schedule=((0, 1e-3), (0.4999, 1e-2)),
            locality=1.0,
            offset=0.2,
            top_k=10,
        ),
        "paper": PAPER.model_copy(update={"schedule": ((0, 1e-2),)}),
    },
    expected=Expected(
        column="two moons",
        measure="train_accuracy",
        table1={"vanilla": (1.0, 0.0), "l1": (1.0, 0.0), "bimt": (1.0, 0.0)},
        table2={"vanilla": (0.291, 0.032), "l1": (0.289, 0.016), "bimt": (0.338, 0.039)},
    ),
)
