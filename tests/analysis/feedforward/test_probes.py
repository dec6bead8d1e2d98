import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from brainrnn.analysis.feedforward.probes import probe_table
from brainrnn.errors import InputError

RNG = np.random.default_rng(0)
SHOWN, TESTED = RNG.standard_normal((80, 4)) * [1, 5, 0.1, 2], RNG.standard_normal((30, 4))


def told(activity):
    """A quantity that neurons 0 and 3 tell together."""
    return activity[:, 0] + np.sin(activity[:, 3])


@pytest.mark.parametrize("groups", [[[0], [1], [3]], [[0, 3], [1, 2]], [[0, 1, 3]]])
def test_probes_agree_with_other_ways_to_compute_them(groups):
    q, seen = told(TESTED), told(SHOWN)
    table = probe_table(SHOWN, seen, TESTED, q, np.array(groups), neighbours=7)
    scale = SHOWN.std(0)
    for row, group in zip(table.itertuples(), groups, strict=True):
        predicted = LinearRegression().fit(SHOWN[:, group], seen).predict(TESTED[:, group])
        assert row.linear_r2 == pytest.approx(r2_score(q, predicted))
        assert row.correlation == pytest.approx(abs(np.corrcoef(predicted, q)[0, 1]))
        apart = np.linalg.norm(((TESTED[:, None] - SHOWN) / scale)[..., group], axis=2)
        nearest = seen[np.argsort(apart, axis=1)[:, :7]].mean(1)
        assert row.r2 == pytest.approx(r2_score(q, nearest))


def test_a_constant_neuron_tells_nothing():
    constant = np.ones((80, 1)), np.ones((30, 1))
    table = probe_table(constant[0], told(SHOWN), constant[1], told(TESTED), np.array([[0]]))
    assert table.correlation.tolist() == pytest.approx([0])


def test_no_group_no_row():
    groups = np.empty((0, 2), dtype=int)
    table = probe_table(SHOWN, told(SHOWN), TESTED, told(TESTED), groups)
    assert table.columns.tolist() == ["correlation", "linear_r2", "r2"]
    assert table.empty


def test_few_examples_are_refused():
    with pytest.raises(InputError, match="10 shown and 2 tested examples at least, got 9 and 30"):
        probe_table(SHOWN[:9], told(SHOWN[:9]), TESTED, told(TESTED), np.array([[0]]))
