"""Figures A10 and A11: handwritten digits by perceptrons of two and of four layers."""

import dataclasses

from paper_mlp.experiments.fig8 import COMMON, EVOLUTION, FIG8, NOTEBOOK, PAPER
from paper_mlp.reproduction import Reproduction


def _of_depth(layers: int, words: str, figure: str) -> Reproduction:
    last = {f"fc{layers - 1}.weight": 0.0}
    return dataclasses.replace(
        FIG8,
        name=f"fig{figure}",
        title=f"Handwritten digits, {words} layers",
        shows=f"App. G (Fig. {figure})",
        network={**FIG8.network, "hidden": (100,) * (layers - 1)},
        recipes={
            "notebook": NOTEBOOK.model_copy(update={"parameter_locality": last}),
            "paper": PAPER,
        },
        checks={},  # the paper says nothing of their structure
        panels=(dataclasses.replace(EVOLUTION, source=f"Fig. {figure}"), *COMMON),
        texts=tuple(text for text in FIG8.texts if text.name != "robustness"),
        notes=("With `--settings paper`, whose cost is a sum, BIMT collapses to chance.",),
        facts={},
        remarks={},
        methods=("bimt",),
        expected=None,
    )


FIGA10 = _of_depth(2, "two", "A10")
FIGA11 = _of_depth(4, "four", "A11")
