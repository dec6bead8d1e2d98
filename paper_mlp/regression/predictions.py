"""How good predictions in context are, and where the first x is too small to divide by.

"Seeing Is Believing", Figs. 7 and A7 (top right) and Appendix F.2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from brainrnn.analysis.graph.live import check_member
from brainrnn.networks import Transformer
from brainrnn.plots.style import FAINT, INK, POSITIVE, new_figure, open_frame
from brainrnn.training.loop import answer
from paper_mlp.regression.sequences import first_x
from tasks.fixed import FixedTask

BINS = 5
WORSE = 2.0  # times the error in the last bin: more than sampling noise, plain in a picture
_NEAR_ZERO = 0.1  # of the largest |x_1|: if some are smaller, y / x has (almost) no bound
_MARGIN = 0.05  # of the range of the true y, around it


def plot_predictions_in_context(net: Transformer, task: FixedTask, member: int = 0) -> Figure:
    """Draw the predicted against the true y of the last x, in the test sequences (Figs. 7, A7).

    RMSE is the root of the mean squared error over all test sequences. Where y / x can be large,
    since some |x_1| are below a tenth of the largest, points are coloured by |x_1|. The axes show
    the range of the true y, so that a few wild predictions do not spoil the picture; how many lie
    outside is written.

    Raises
    ------
    InputError
        If the task is not in-context regression, or there is no such network.
    """
    check_member(net, member)
    size = first_x(task, task.test)
    true, predicted = _answers(net.select(member), task)
    predicted = predicted[0]
    low, high = true.min(), true.max()
    margin = _MARGIN * (high - low)
    low, high = low - margin, high + margin

    singular = size.min() < _NEAR_ZERO * size.max()
    figure = new_figure(4.1 if singular else 3.4, 3.3)
    ax = figure.add_subplot()
    ax.plot([low, high], [low, high], color=FAINT, lw=1, ls="--", zorder=1)
    points = ax.scatter(
        true,
        predicted,
        s=7,
        lw=0,
        alpha=None if singular else 0.7,
        zorder=2,
        rasterized=True,
        **({"c": size, "cmap": "viridis"} if singular else {"color": POSITIVE}),
    )
    if singular:
        figure.colorbar(points, ax=ax, shrink=0.8, label="$|x_1|$")
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="true $y$", ylabel="predicted $y$")
    ax.set_aspect("equal")
    text = f"RMSE {np.sqrt(np.mean((predicted - true) ** 2)):.2g}"
    outside = int(np.sum((predicted < low) | (predicted > high)))
    if outside:
        text += f", {outside} of {len(true)} points outside"
    ax.set_title(text, loc="left", fontsize=8, color=INK)
    open_frame(ax)
    return figure


def error_by_x1(net: Transformer, task: FixedTask) -> pd.DataFrame:
    """Error of the predicted y in five bins of |x_1|, in the test sequences (Appendix F.2).

    The bins are of the same width, from the smallest |x_1| to the largest.

    Parameters
    ----------
    net : Transformer
    task : FixedTask

    Returns
    -------
    DataFrame
        A row for every member and bin, bins from small to large: ``member``, the bounds ``low`` and
        ``high`` of |x_1|, the number of ``sequences``, and ``rmse``, the root of the mean squared
        error of y there; NaN in an empty bin. A bin holds its upper bound, and only the first one
        its lower bound.

    Raises
    ------
    InputError
        If the task is not in-context regression.
    """
    size = first_x(task, task.test)
    true, predicted = _answers(net, task)
    edges = np.linspace(size.min(), size.max(), BINS + 1)
    place = np.clip(np.searchsorted(edges, size) - 1, 0, None)
    inside = place[:, None] == np.arange(BINS)  # (example, bin)
    count = inside.sum(0)
    with np.errstate(invalid="ignore"):
        rmse = np.sqrt((predicted - true) ** 2 @ inside / count)  # (member, bin)
    return pd.DataFrame(
        {
            "member": np.repeat(np.arange(net.members), BINS),
            "low": np.tile(edges[:-1], net.members),
            "high": np.tile(edges[1:], net.members),
            "sequences": np.tile(count, net.members),
            "rmse": rmse.ravel(),
        }
    )


def worse_for_small_x1(net: Transformer, task: FixedTask) -> Bool[np.ndarray, " member"]:
    """Whether predictions are good for large |x_1| and bad for small ones (App. F.2), (member,).

    The RMSE in the first bin of :func:`error_by_x1` must be at least twice that in the last one.
    The paper judges by eye. A network that ignores the pair is as bad everywhere.
    """
    rmse = error_by_x1(net, task).rmse.to_numpy().reshape(net.members, -1)
    return rmse[:, 0] >= WORSE * rmse[:, -1]


def _answers(
    net: Transformer, task: FixedTask
) -> tuple[Float[np.ndarray, " example"], Float[np.ndarray, "member example"]]:
    """True y of the last x, (example,), and every network's, (member, example)."""
    true = task.test.targets[:, -1, 0].double().cpu().numpy()
    return true, answer(net, task.test)[:, :, -1, 0].double().cpu().numpy()
