"""Which neurons, alone or in pairs, encode the weight scalar w ("Seeing Is Believing", Fig. 7).

The paper looks at Res2, the residual stream after the first layer, and judges by eye. Here probes
are fitted to activations at the last token of training sequences and scored on test sequences.
The bounds below were fixed with the data alone, before any trained network was probed. With the
published notebook's data, the same probe reads w from the token y_1 alone with an R^2 of 0.95,
from x_1 and y_1 together with 0.9996; in the singular case of Appendix F.2, with -0.09 and 0.993.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from brainrnn.analysis.feedforward.activations import stage_activity
from brainrnn.analysis.feedforward.probes import probe_table
from brainrnn.analysis.graph.live import active_neurons, check_member
from brainrnn.networks import Transformer
from brainrnn.task import Examples
from paper_mlp.regression.sequences import weight_scalar
from tasks.fixed import FixedTask

STAGE = "stream2"  # the paper's Res2

DETERMINES = 0.99  # R^2 from which a neuron knows w; one that holds y_1, which is no w, has 0.95
CORRELATES = 0.3  # |correlation| that counts as one, Cohen's medium effect
SEVERAL = 2  # neurons
ENCODES = 0.9  # R^2 from which a pair encodes w: its error is a third of the deviation of w
LEAVES = 0.5  # of the variance that the best neuron leaves unexplained, a pair may leave this

_FITTED = 4000  # training sequences, so that 25 networks take a minute
_VARIES = 0.01  # of the largest standard deviation in the stage
_ROUNDING = 1e-6  # of the largest activation


def weight_probes(
    net: Transformer, task: FixedTask, member: int = 0, *, stage: str = STAGE
) -> pd.DataFrame:
    """How well single neurons and pairs of one stage tell w, the best first.

    Of the active neurons (:func:`brainrnn.analysis.active_neurons`), those are probed whose
    activation at the last token varies: its standard deviation is above 1 % of the largest in the
    stage. Probes are fitted to the first 4000 training sequences, activations standardised, and
    scored on the test sequences. The non-linear probe is the mean w of the ten nearest neighbours.

    Parameters
    ----------
    net : Transformer
    task : FixedTask
        With a scalar x.
    member : int
    stage : str
        See :func:`brainrnn.analysis.stages`.

    Returns
    -------
    DataFrame
        ``kind``: single or pair; ``sites``: tuple of places on the line, from 1 as in the paper;
        ``neurons``: tuple of neurons; ``correlation``: of w with the best linear probe, at least
        0, for a single neuron the size of Pearson's; ``linear_r2`` and ``r2``: the share of the
        variance of w that a linear and the non-linear probe explain, below 0 where the mean of w
        would be a better guess. Empty if no neuron varies.

    Raises
    ------
    InputError
        If there is no such network or stage, the task is not in-context regression, x is a vector,
        or there are too few sequences.
    """
    both = [probe_groups(net, task, size, member, stage=stage) for size in (1, 2)]
    return pd.concat(both).sort_values("r2", ascending=False, kind="stable", ignore_index=True)


def probe_groups(
    net: Transformer, task: FixedTask, size: int, member: int = 0, *, stage: str = STAGE
) -> pd.DataFrame:
    """Probes of all groups of ``size`` neurons, 1 or 2, as :func:`weight_probes`, but by site."""
    shown = task.train.take(slice(_FITTED))
    w_shown, w = weight_scalar(task, shown), weight_scalar(task, task.test)
    neurons = varying_neurons(net, task, member, stage=stage)
    groups = np.array(list(combinations(range(len(neurons)), size)), int).reshape(-1, size)
    fitted, tested = (
        last_token(net, examples, member, stage=stage)[:, neurons]
        for examples in (shown, task.test)
    )
    table = probe_table(fitted, w_shown, tested, w, groups)
    sites = site_numbers(net, neurons, member, stage)
    table.insert(0, "kind", {1: "single", 2: "pair"}[size])
    table.insert(1, "sites", [tuple(s) for s in sites[groups].tolist()])
    table.insert(2, "neurons", [tuple(n) for n in neurons[groups].tolist()])
    return table


def no_single_neuron(
    net: Transformer, task: FixedTask, *, stage: str = STAGE
) -> Bool[np.ndarray, " member"]:
    """Whether several neurons correlate with w, but none determines it (Fig. 7), (member,) bool.

    At least two neurons must have a |correlation| of 0.3 with w, and none an R^2 of 0.99 by the
    non-linear probe of :func:`weight_probes`. The paper gives no numbers.
    """
    tables = [probe_groups(net, task, 1, m, stage=stage) for m in range(net.members)]
    several = np.array([(t.correlation >= CORRELATES).sum() >= SEVERAL for t in tables])
    return several & np.array([not (t.r2 >= DETERMINES).any() for t in tables])


def a_pair_encodes(
    net: Transformer, task: FixedTask, *, stage: str = STAGE
) -> Bool[np.ndarray, " member"]:
    """Whether a pair of neurons encodes w better than any neuron alone (Fig. 7), (member,) bool.

    By the non-linear probe of :func:`weight_probes`, the best pair must reach an R^2 of 0.9, and
    leave at most half as much of the variance of w unexplained as the best single neuron does. The
    paper gives no numbers.
    """
    found = []
    for member in range(net.members):
        table = weight_probes(net, task, member, stage=stage)
        single, pair = (table.r2[table.kind == kind].max() for kind in ("single", "pair"))
        found.append(pair >= ENCODES and 1 - pair <= LEAVES * (1 - single))
    return np.array(found, dtype=bool)


def last_token(
    net: Transformer, examples: Examples, member: int = 0, *, stage: str = STAGE
) -> Float[np.ndarray, "example neuron"]:
    """Activations of one stage at the last token, (example, neuron) float64.

    Raises
    ------
    InputError
        If there is no such network or stage.
    """
    check_member(net, member)
    return stage_activity(net.select(member), examples.inputs, stage)[0, :, -1]


def varying_neurons(
    net: Transformer, task: FixedTask, member: int = 0, *, stage: str = STAGE
) -> Int[np.ndarray, " k"]:
    """Active neurons of a stage whose activation at the last test token varies, by site.

    See :func:`weight_probes`.

    Returns
    -------
    (neuron,) int
    """
    activity = last_token(net, task.test, member, stage=stage)
    active = active_neurons(net.select(member))[stage][0].cpu().numpy()
    deviation = np.where(active, activity.std(0), 0)
    least = max(_VARIES * deviation.max(), _ROUNDING * np.abs(activity).max())
    sites = net.anatomy.places(_population(stage))[member].cpu().numpy()
    order = np.argsort(sites)
    return order[deviation[order] > least]


def site_numbers(
    net: Transformer, neurons: Int[np.ndarray, " k"], member: int, stage: str
) -> Int[np.ndarray, " k"]:
    """Numbers of neurons by their place on the line, from 1, as the paper prints them."""
    sites = net.anatomy.places(_population(stage))[member].cpu().numpy()
    return sites[neurons] + 1


def _population(stage: str) -> str:
    return "stream" if stage.startswith("stream") else stage
