"""Figure A5 (top): modular addition from initial weights that differ by a little noise."""

import dataclasses

from paper_mlp.experiments.fig5 import FIG5
from paper_mlp.experiments.reproduction import Text
from paper_mlp.groups.modules import compare_modules
from paper_mlp.outcome import Outcome


def _modules(outcome: Outcome) -> str:
    table = compare_modules(outcome.net.select(0), outcome.net)
    table.index = [outcome.label(m) for m in range(len(table))]
    return table.to_string(float_format="%.2f")


FIGA5 = dataclasses.replace(
    FIG5,
    name="figA5",
    title="Modular addition, perturbed",
    shows="App. D (Fig. A5, noise)",
    methods=("bimt",),
    seeds=1,
    perturbations=(0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
    expected=None,
    checks={},
    panels=(),
    texts=(Text("modules", "Modules against those of the unperturbed network", _modules),),
)
