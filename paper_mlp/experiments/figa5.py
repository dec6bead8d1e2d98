"""Figure A5 (top): modular addition from initial weights that differ by a little noise."""

import dataclasses

import pandas as pd

from paper_mlp.experiments.fig5 import FIG5
from paper_mlp.experiments.parts import gallery
from paper_mlp.groups.modules import compare_modules
from paper_mlp.panels import FinishedRun, Panel, Text


def _modules(run: FinishedRun) -> str:
    tables = []
    for _, networks in run.table.groupby(["method", "seed"], sort=False):
        base, *_ = members = networks.index  # the first one is not perturbed
        table = compare_modules(run.net.select(base), run.net.select(*members))
        table.index = [run.label(member) for member in members]
        tables.append(table)
    return pd.concat(tables).to_string(float_format="%.2f")


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
    notes=(
        "As in the paper, noise of 1e-6 already leads elsewhere: most active sites of the input "
        "and of A1 are the same, few of A2.",
    ),
    panels=(Panel("gallery", "Fig. A5, top: noise on the initial weights", gallery),),
    texts=(
        Text(
            "modules",
            "Modules, and share of active sites in common with the unperturbed network (Jaccard)",
            _modules,
        ),
    ),
)
