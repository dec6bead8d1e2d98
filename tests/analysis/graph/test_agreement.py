import warnings

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_mutual_info_score

from brainrnn.analysis import adjusted_mutual_information, permutation_test


@pytest.mark.parametrize(("groups", "modules"), [(2, 5), (5, 3), (30, 4)])
def test_against_scikit_learn(groups, modules):
    rng = np.random.default_rng(groups)
    group, module = rng.integers(0, groups, 60), rng.integers(0, modules, 60)
    moved = np.stack([rng.permutation(module) for _ in range(20)])
    found = adjusted_mutual_information(group)(torch.from_numpy(moved))
    expected = [adjusted_mutual_info_score(group, row) for row in moved]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_same_division_by_other_names_agrees_entirely():
    groups = np.array(["b", "a", "c", "a", "b", "c"])
    with warnings.catch_warnings(action="error"):
        value = adjusted_mutual_information(groups)(torch.tensor([[0, 2, 1, 2, 0, 1]]))
    assert value.tolist() == [pytest.approx(1)]


@pytest.mark.parametrize(("groups", "module"), [([0, 0, 0], [0, 1, 2]), ([0, 1, 2], [0, 0, 0])])
def test_nothing_to_agree_on(groups, module):
    test = permutation_test({"agreement": adjusted_mutual_information(groups)}, module, n=9)
    assert np.isnan(test.observed)
    assert np.isnan(test.p)


def test_chance_agreement_is_zero_on_average_and_half_agreement_is_found():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(5), 16)
    module = np.where(rng.random(80) < 0.5, group, rng.integers(0, 5, 80))
    statistic = {"agreement": adjusted_mutual_information(group)}
    test = permutation_test(statistic, module, n=2000, alternative="greater")
    error = 4 * test.null_sd.item() / np.sqrt(2000)
    assert test.null_mean.item() == pytest.approx(0, abs=error)
    assert test.p.item() == 1 / 2001
