"""How well small groups of neurons tell a quantity, by a linear and a non-linear probe."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.spatial import KDTree

from brainrnn.analysis.feedforward.activations import correlations
from brainrnn.errors import InputError


def probe_table(
    shown: Float[np.ndarray, "example neuron"],
    shown_quantity: Float[np.ndarray, " example"],
    tested: Float[np.ndarray, "test neuron"],
    tested_quantity: Float[np.ndarray, " test"],
    groups: Int[np.ndarray, "group member"],
    *,
    neighbours: int = 10,
) -> pd.DataFrame:
    r"""Fit probes to groups of neurons, and score them on other examples.

    Activations are standardised over the examples shown. The linear probe is least squares. The
    non-linear one is the mean quantity of the nearest neighbours among the examples shown. The
    share of the variance that a probe explains is

    .. math:: R^2 = 1 - \frac{\sum_i (q_i - \hat q_i)^2}{\sum_i (q_i - \bar q)^2}

    over the tested examples.

    Parameters
    ----------
    shown : (example, neuron) array
        Activations to which probes are fitted.
    shown_quantity : (example,) array
        What the neurons may tell.
    tested : (test, neuron) array
        Activations on which probes are scored.
    tested_quantity : (test,) array
    groups : (group, member) int
        Neurons of each group: columns of the activations. All groups have the same size.
    neighbours : int
        Of the non-linear probe.

    Returns
    -------
    DataFrame
        A row per group, in their order. ``correlation``: of the quantity with the linear probe, at
        least 0; of a single neuron it is the size of Pearson's. ``linear_r2`` and ``r2``: the share
        of the variance that the linear and the non-linear probe explain, below 0 where the mean of
        the quantity would be a better guess.

    Raises
    ------
    InputError
        If there are fewer examples than neighbours, or fewer than two tested ones.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> activity = rng.standard_normal((600, 2))
    >>> quantity = activity[:, 0] - activity[:, 1]  # needs both neurons
    >>> parts = activity[:500], quantity[:500], activity[500:], quantity[500:]
    >>> probe_table(*parts, np.array([[0, 1]])).linear_r2.round(6).tolist()
    [1.0]
    >>> bool((probe_table(*parts, np.array([[0], [1]])).r2 < 0.6).all())
    True
    """
    if len(shown) < neighbours or len(tested) < 2:
        raise InputError(
            f"probes take {neighbours} shown and 2 tested examples at least, got {len(shown)} and "
            f"{len(tested)}: make more examples"
        )
    mean, deviation = shown.mean(0), shown.std(0)
    deviation[deviation == 0] = 1
    shown, tested = (shown - mean) / deviation, (tested - mean) / deviation
    line = _linear(shown, shown_quantity, tested, groups)
    nearest = np.reshape(
        [_near(shown[:, g], shown_quantity, tested[:, g], neighbours) for g in groups], line.shape
    )
    return pd.DataFrame(
        {
            "correlation": np.abs(correlations(line.T[None], tested_quantity[:, None])[0, :, 0]),
            "linear_r2": _explained(line, tested_quantity),
            "r2": _explained(nearest, tested_quantity),
        }
    )


def _linear(
    shown: Float[np.ndarray, "example neuron"],
    quantity: Float[np.ndarray, " example"],
    tested: Float[np.ndarray, "test neuron"],
    groups: Int[np.ndarray, "group member"],
) -> Float[np.ndarray, "group test"]:
    """Least squares from standardised activations, for all groups at once."""
    n = len(quantity)
    gram, right = shown.T @ shown / n, shown.T @ (quantity - quantity.mean()) / n
    inverse = np.linalg.pinv(gram[groups[:, :, None], groups[:, None, :]], hermitian=True)
    slopes = np.einsum("gij,gj->gi", inverse, right[groups])
    return np.einsum("egi,gi->ge", tested[:, groups], slopes) + quantity.mean()


def _near(
    shown: Float[np.ndarray, "example member"],
    quantity: Float[np.ndarray, " example"],
    tested: Float[np.ndarray, "test member"],
    neighbours: int,
) -> Float[np.ndarray, " test"]:
    """Mean quantity of the nearest examples shown."""
    return quantity[KDTree(shown).query(tested, neighbours)[1]].mean(1)


def _explained(
    predicted: Float[np.ndarray, "group test"], quantity: Float[np.ndarray, " test"]
) -> Float[np.ndarray, " group"]:
    return 1 - ((predicted - quantity) ** 2).mean(1) / quantity.var()
