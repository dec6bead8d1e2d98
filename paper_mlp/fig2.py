"""Figure 2 and Appendix A: a toy regression with two modules, by five methods."""

from paper_mlp.fig3a import NOTEBOOK, PAPER
from paper_mlp.reproduction import Reproduction

FIG2 = Reproduction(
    name="fig2",
    title="Two products",
    shows="Fig. 2; App. A (Fig. A1)",
    task={"suite": "formulas", "names": ["products"], "options": {"seed": 0}},
    hidden=(20, 20),
    recipes={"notebook": NOTEBOOK, "paper": PAPER},
)
