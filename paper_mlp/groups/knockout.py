"""What a network still gets right without one of its modules ("Seeing Is Believing", Fig. 5 right).

The paper's three modules vote: without A, B or C its accuracy falls from 100 % to 15, 29 or 34 %.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from brainrnn import MLP, InputError
from brainrnn.analysis.graph.ablation import silence
from brainrnn.plots.style import FAINT, INK, module_colours, new_figure, open_frame
from brainrnn.task import Examples
from paper_mlp.groups.embedding import check_tokens
from paper_mlp.groups.modules import embedding_modules, module_name
from tasks.fixed import FixedTask


@torch.no_grad()
def knockout_accuracies(net: MLP, task: FixedTask, *, threshold: float = 0.05) -> pd.DataFrame:
    """Accuracy of every network, intact and after each of its modules was silenced.

    A module is silenced with all its input neurons (:func:`brainrnn.analysis.graph.silence`).

    Parameters
    ----------
    net : MLP
        Of tokens.
    task : FixedTask
    threshold : float
        See :func:`paper_mlp.groups.modules.embedding_modules`.

    Returns
    -------
    DataFrame
        One row for every network and module, and one with module -1 for the network as it is.
        ``neurons``: how many were silenced; ``all``: accuracy on training and test examples
        together, which for a whole multiplication table are all pairs (the paper's numbers are
        whole multiples of 1/59^2); ``test``: on the test examples.

    Raises
    ------
    InputError
        If the network's inputs are no tokens, or the answers are no classes.
    """
    check_tokens(net)
    if not task.classes:
        raise InputError(f"task {task.name!r} is a regression: it has no accuracy")
    everything = Examples(
        torch.cat([task.train.inputs, task.test.inputs]),
        torch.cat([task.train.targets, task.test.targets]),
    ).to(net.embedding.device)
    fresh = torch.arange(len(everything), device=net.embedding.device) >= len(task.train)
    tables = []
    for member, module in enumerate(embedding_modules(net, threshold=threshold)):
        numbers = np.arange(-1, module.max() + 1)
        silent = (module == numbers[:, None]) & (numbers[:, None] >= 0)  # (module, neuron)
        damaged = silence(net, "input", silent, member=member)
        correct = task.score(damaged(everything.inputs), everything).double()
        tables.append(
            pd.DataFrame(
                {
                    "member": member,
                    "module": numbers,
                    "neurons": silent.sum(1),
                    "all": correct.mean(1).cpu().numpy(),
                    "test": correct[:, fresh].mean(1).cpu().numpy(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def plot_knockouts(net: MLP, task: FixedTask, member: int = 0) -> Figure:
    """Bars of one network's accuracy on all pairs, intact and without each module.

    Parameters
    ----------
    net : MLP
        Of tokens.
    task : FixedTask
    member : int
        Which network.

    Returns
    -------
    Figure
    """
    table = knockout_accuracies(net.select(member), task)
    modules = table.module.to_numpy()[1:]
    figure = new_figure(1.6 + 0.75 * len(table), 2.8)
    ax = figure.subplots()
    colours = [FAINT, *module_colours(modules)]
    bars = ax.bar(range(len(table)), 100 * table["all"], 0.62, color=colours)
    ax.bar_label(bars, fmt="%.1f", padding=2, fontsize=8, color=INK)
    names = ["intact", *(f"without {module_name(m)}" for m in modules)]
    ax.set_xticks(range(len(table)), names, fontsize=8)
    chance = 100 / task.n_outputs
    ax.axhline(chance, color=INK, lw=0.8, ls=":")
    ax.text(
        1.01,
        chance,
        "chance",
        transform=ax.get_yaxis_transform(),
        fontsize=7,
        va="center",
        color=INK,
    )
    ax.set_ylim(0, 108)
    ax.set_ylabel("accuracy on all pairs (%)", fontsize=9)
    ax.tick_params(axis="y", labelsize=8)
    open_frame(ax)
    return figure
