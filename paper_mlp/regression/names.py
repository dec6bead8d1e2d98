"""How "Seeing Is Believing" calls the stages of a transformer, and the tokens of a sequence."""

from __future__ import annotations

import re

from paper_mlp.regression.sequences import need_sequences
from tasks.fixed import FixedTask

_LAYERS = {"stream": "Res", "heads": "Atn", "mlp": "MLP"}


def stage_name(stage: str) -> str:
    """The paper's name of a stage (Fig. 7): ``stream2`` is Res2, ``heads1`` is Atn1.

    ``stream0`` is Embed. Names of other networks' stages stay as they are.
    """
    if stage == "stream0":
        return "Embed"
    if stage == "out":
        return "output"
    matched = re.fullmatch(r"(stream|heads|mlp)(\d+)", stage)
    return _LAYERS[matched[1]] + matched[2] if matched else stage


def token_names(task: FixedTask) -> list[str]:
    """Names of the tokens of a sequence: x_1, y_1, ..., and x, whose y is asked for.

    Raises
    ------
    InputError
        If the task is not in-context regression.
    """
    need_sequences(task)
    pairs = (task.train.inputs.shape[1] - 1) // 2
    return [f"{symbol}_{i}" for i in range(1, pairs + 1) for symbol in "xy"] + ["x"]
