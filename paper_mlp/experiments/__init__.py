"""The experiments of the paper, by name, in its order."""

from paper_mlp.experiments.fig2 import FIG2
from paper_mlp.experiments.fig3a import FIG3A
from paper_mlp.experiments.fig3b import FIG3B
from paper_mlp.experiments.fig3c import FIG3C
from paper_mlp.experiments.fig4 import FIG4
from paper_mlp.experiments.fig5 import FIG5
from paper_mlp.experiments.fig6 import FIG6
from paper_mlp.experiments.fig7 import FIG7
from paper_mlp.experiments.fig8 import FIG8
from paper_mlp.experiments.figa5 import FIGA5
from paper_mlp.experiments.figa7 import FIGA7
from paper_mlp.experiments.figa10 import FIGA10, FIGA11
from paper_mlp.reproduction import Reproduction

EXPERIMENTS: dict[str, Reproduction] = {
    r.name: r
    for r in (FIG2, FIG3A, FIG3B, FIG3C, FIG4, FIG5, FIGA5, FIG6, FIG7, FIGA7, FIG8, FIGA10, FIGA11)
}

__all__ = ["EXPERIMENTS", "Reproduction"]
