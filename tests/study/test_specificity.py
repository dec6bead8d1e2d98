"""How specific lesions are, and their tests against random sets, from definitions."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainrnn.study.specificity import (
    STATISTICS,
    against_chance,
    network_means,
    over_networks,
    profile,
)


def planted(seeds: int = 4, draws: int = 19, excess: float = 1.0) -> pd.DataFrame:
    """Rows of two modules whose statistics are above those of random sets by ``excess``.

    Random sets of the first module are more severe than it, all by more than counts as alike.
    """
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        for null in ("observed", "random", "matched"):
            for draw in range(1 if null == "observed" else draws):
                for lesion in (0, 1):
                    about = {"label": "L1", "seed": seed, "kind": "module", "null": null}
                    about |= {"lesion": lesion, "draw": draw, "severity": 0.5}
                    if lesion == 0 and null == "observed":
                        about["severity"] = 0.1
                    more = excess * (null == "observed")
                    rows.append(about | {name: more + rng.random() for name in STATISTICS})
    return pd.DataFrame(rows)


def test_the_profile_of_damage_against_definitions():
    rng = np.random.default_rng(0)
    lost, share = rng.random((6, 5)), rng.random((6, 5))
    lost[0] = 0
    lost[:, 2] = np.nan
    number = profile(lost, share)
    kept = [0, 1, 3, 4]
    for i in range(6):
        x, y = lost[i, kept], share[i, kept]
        pairs = sum(abs(a - b) for a in x for b in x)
        gini = pairs / (2 * len(x) ** 2 * x.mean()) if x.any() else 0
        assert number["gini"][i] == pytest.approx(gini)
        assert number["severity"][i] == pytest.approx(x.mean())
        assert number["specificity"][i] == pytest.approx(x.max() - np.median(x))
        rho = pd.Series(x).corr(pd.Series(y), method="spearman") if x.any() else np.nan
        assert number["fit"][i] == pytest.approx(rho, nan_ok=True)
    nothing = profile(np.full((2, 5), np.nan), share[:2])
    assert np.isnan(nothing["severity"]).all()


def test_a_lesion_is_compared_with_its_own_random_sets():
    rows = planted(excess=0.3)
    tests = against_chance(rows).set_index(["seed", "lesion", "null", "statistic"])
    by = rows.set_index(["seed", "lesion", "null", "draw"]).sort_index()
    for (seed, lesion, null, name), row in tests.iterrows():
        observed = by.loc[(seed, lesion, "observed", 0), name]
        assert row.observed == observed
        if null == "severe":
            continue
        drawn = by.loc[(seed, lesion, null), name].tolist()
        above = sum(value >= observed for value in drawn)
        assert row.p == pytest.approx((1 + above) / (1 + len(drawn)))
        mean = sum(drawn) / len(drawn)
        sd = (sum((value - mean) ** 2 for value in drawn) / (len(drawn) - 1)) ** 0.5
        assert row.z == pytest.approx((observed - mean) / sd)


def test_only_random_sets_of_the_same_severity_are_as_severe():
    tests = against_chance(planted())
    severe = tests[tests.null == "severe"].set_index("lesion")
    assert severe.p[0].isna().all()
    assert (severe.p[1] == 1 / 20).all()


@pytest.mark.parametrize(("excess", "beyond"), [(1.0, True), (0.0, False), (-1.0, False)])
def test_the_mean_of_a_network_is_compared_with_the_means_of_whole_draws(excess, beyond):
    rows = planted(excess=excess)
    means = network_means(rows, against_chance(rows)).set_index(["seed", "null", "statistic"])
    by = rows.groupby(["seed", "null", "draw"])[list(STATISTICS)].mean()
    for seed in range(4):
        for name in STATISTICS:
            observed = by.loc[(seed, "observed", 0), name]
            above = (by.loc[(seed, "random"), name] >= observed).sum()
            row = means.loc[(seed, "random", name)]
            assert row.p == pytest.approx((1 + above) / 20)
            assert row.observed == pytest.approx(observed)
            assert row.excess == pytest.approx(observed - by.loc[(seed, "random"), name].mean())
            assert not beyond or row.p == 1 / 20
            assert excess >= 0 or row.p == 1


def test_networks_are_the_sample():
    rows = planted(excess=0.3)
    tests = against_chance(rows)
    means = network_means(rows, tests)
    over = over_networks(means, tests).set_index(["random sets", "statistic"])
    for name in STATISTICS:
        row = over.loc[("of as many neurons", name)]
        one = means[(means.null == "random") & (means.statistic == name)]
        t = stats.ttest_1samp(one.excess, 0, alternative="greater")
        assert row.p_t == pytest.approx(t.pvalue)
        assert row.p_wilcoxon == stats.wilcoxon(one.excess, alternative="greater").pvalue
        chi2 = -2 * np.log(one.p).sum()  # Fisher (1925)
        assert row.p_fisher == pytest.approx(stats.chi2.sf(chi2, 2 * len(one)))
        assert (row.networks, row.lesions) == (4, 8)
    placed = pd.concat([means, means.assign(label="placed")])
    again = over_networks(placed, pd.concat([tests, tests.assign(label="placed")]))
    first = again[again.method == "L1"].p_controlled.tolist()
    assert first == pytest.approx(over.p_controlled.tolist())  # the same question, asked once
    assert first == again[again.method == "placed"].p_controlled.tolist()


def test_two_tasks_at_stake_are_enough_and_one_is_not():
    lost = np.array([[0.2, 0.6, 0.5], [0.4, 0.1, 0.3]])
    share = np.array([[0.5, 0.5, np.nan], [0.3, 0.7, 0.1]])  # one share is unknown
    number = profile(lost, share)
    np.testing.assert_allclose(number["severity"], [0.4, 0.25])
    np.testing.assert_allclose(number["specificity"], [0.2, 0.15])
    np.testing.assert_allclose(number["gini"], [0.4 / 1.6, 0.3 / 1.0])
    assert np.isnan(number["fit"][0])  # the share is the same in both
    assert number["fit"][1] == pytest.approx(-1)
    one = profile(lost[:, :1], share[:, :1])
    assert all(np.isnan(one[name]).all() for name in ("severity", *STATISTICS))
