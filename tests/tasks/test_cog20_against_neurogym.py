"""The 20 tasks are neurogym's: every condition is played by both, and trials compared."""

from __future__ import annotations

import numpy as np
import pytest
from neurogym.envs.collections import yang19
from scipy import stats

from tasks import COG20, cog20
from tasks.conditions import Conditions
from tasks.yang2019 import condition_table
from tests.tasks.neurogym_oracle import DM, MATCH, REACH, play


def compare(name: str, dt: float, table: Conditions, rng: np.random.Generator) -> None:
    prolongation = rng.random(len(table))
    ours = cog20(dt, [name]).render(np.zeros(len(table), np.int64), table, prolongation)
    for i, theirs in enumerate(play(name, table, dt, prolongation)):
        n_steps = len(theirs.observed)
        assert ours.lengths[i] == n_steps
        np.testing.assert_allclose(ours.inputs[:n_steps, i, :33], theirs.observed, atol=1e-6)
        assert not ours.inputs[n_steps:, i].any()
        np.testing.assert_array_equal(ours.targets[:n_steps, i], theirs.target)
        for period, bounds in zip(ours.period_names, ours.periods[i].tolist(), strict=True):
            start, end = theirs.periods.pop(period)
            assert tuple(bounds) == ((start, end) if start < end else (-1, -1))
        assert all(start == end for start, end in theirs.periods.values())


@pytest.mark.parametrize("name", COG20)
def test_every_condition_of_small_tables_and_a_sample_of_large_ones(name: str) -> None:
    table, rng = condition_table(name), np.random.default_rng(0)
    if len(table) > 2000:
        table = table[rng.choice(len(table), 1500, replace=False)]
    compare(name, 100, table, rng)


@pytest.mark.parametrize("dt", [20, 30, 8.3])
@pytest.mark.parametrize("name", COG20)
def test_steps_that_are_short_or_do_not_divide_the_durations(name: str, dt: float) -> None:
    table, rng = condition_table(name), np.random.default_rng(1)
    compare(name, dt, table[rng.choice(len(table), 30, replace=False)], rng)


@pytest.mark.slow
@pytest.mark.parametrize("name", COG20)
def test_every_condition(name: str) -> None:
    compare(name, 100, condition_table(name), np.random.default_rng(2))


N_PAIRS, N_SIGNED, N_ORDERED = 16 * 15, 2 * 4, 3 * 2
SIZES = {
    **dict.fromkeys(REACH, 2 * 16),
    "dm1": N_PAIRS * N_SIGNED * 3,
    "dm2": N_PAIRS * N_SIGNED,
    **dict.fromkeys(("ctxdm1", "ctxdm2"), N_PAIRS * N_SIGNED**2),
    "multidm": N_PAIRS * N_SIGNED**2 * 2,
    **dict.fromkeys(("dlydm1", "dlydm2"), N_PAIRS * N_ORDERED),
    **dict.fromkeys(("ctxdlydm1", "ctxdlydm2"), N_PAIRS * N_ORDERED**2),
    "multidlydm": N_PAIRS * N_ORDERED**2 * 2,
    **dict.fromkeys(("dms", "dnms"), 2 * 16 * 2),
    **dict.fromkeys(("dmc", "dnmc"), 2 * 16 * 2 * 8),
}


@pytest.mark.parametrize("name", COG20)
def test_tables_hold_all_that_neurogym_can_draw_equally_often(name: str) -> None:
    table = condition_table(name)
    assert len(table) == SIZES[name]
    columns = (table.location, table.strength, table.duration, table.target, table.match)
    keys = np.concatenate([column.reshape(len(table), -1) for column in columns], axis=1)
    _, counts = np.unique(keys, axis=0, return_counts=True)
    coin = 2 if name.startswith("multi") else 1  # a coin that decides nothing gives a row twice
    assert set(counts) <= {1, coin}
    for place in table.location.T:
        if (place >= 0).all() and name not in MATCH:
            assert len(set(np.bincount(place, minlength=16))) == 1


@pytest.mark.parametrize("name", COG20)
@pytest.mark.parametrize("dt", [100, 30])
def test_noise_is_where_neurogym_has_it(name: str, dt: float) -> None:
    rng = np.random.default_rng(3)
    table = condition_table(name)
    table = table[rng.choice(len(table), 20, replace=False)]
    prolongation, task = rng.random(20), np.zeros(20, np.int64)
    suite = cog20(dt, [name])
    clean = suite.render(task, table, prolongation).inputs
    ours = (suite.render(task, table, prolongation, rng).inputs != clean).numpy()
    noisy = play(name, table, dt, prolongation, np.random.RandomState(0))
    for i, theirs in enumerate(noisy):
        n_steps = len(theirs.observed)
        where = ~np.isclose(theirs.observed, clean[:n_steps, i, :33], atol=1e-6)
        # A rare noise value may be too small to be told from none.
        assert (ours[:n_steps, i, :33] != where).mean() < 0.01
        assert not ours[n_steps:, i].any()
        assert not ours[:, i, 33:].any()


@pytest.mark.parametrize("dt", [100, 20])
def test_noise_is_white_gaussian_with_neurogyms_standard_deviation(dt: float) -> None:
    suite, rng = cog20(dt, ["dlydm1"]), np.random.default_rng(4)
    table = condition_table("dlydm1")[:400]
    task = np.zeros(400, np.int64)
    noise = suite.render(task, table, 0.0, rng).inputs - suite.render(task, table).inputs
    stim = noise[slice(*suite.render(task, table).period("stim1")[0]), :, 1:33].numpy()
    assert stats.kstest(stim.ravel()[:20_000] * np.sqrt(dt), "norm").pvalue > 1e-3
    limit = 4 / np.sqrt(stim.size / 2)  # correlation of white noise, four standard errors
    assert abs(np.mean(stim[1:] * stim[:-1]) * dt) < limit
    assert abs(np.mean(stim[:, 1:] * stim[:, :-1]) * dt) < limit
    assert abs(np.mean(stim[..., 1:] * stim[..., :-1]) * dt) < limit


@pytest.mark.parametrize("names", [["dlydm1"], ["dms", "ctxdm1"]])
def test_noise_is_independent_and_normal_from_batch_to_batch(names: list[str]) -> None:
    """Where one modality is noisy and where both are: the same law, and never the same numbers."""
    suite, rng = cog20(100, names), np.random.default_rng(8)
    task = np.arange(len(names)).repeat(20)
    table = Conditions.concatenate(
        [condition_table(name)[rng.choice(len(condition_table(name)), 20)] for name in names]
    )
    clean = suite.render(task, table).inputs
    noise = [suite.render(task, table, 0.0, rng).inputs - clean for _ in range(300)]
    rows = np.stack([batch[batch != 0][:5000].numpy() * 10 for batch in noise]).astype(float)
    error = 1 / np.sqrt(rows.size)
    assert abs(rows.mean()) < 4 * error
    assert abs(rows.var() - 1) < 4 * np.sqrt(2) * error
    assert abs(stats.skew(rows.ravel())) < 4 * np.sqrt(6) * error
    assert abs(stats.kurtosis(rows.ravel())) < 4 * np.sqrt(24) * error
    assert 4.5 < np.abs(rows).max() < 6.5
    for other in (rows[1:] * rows[:-1], rows[:, 1:] * rows[:, :-1]):
        assert abs(other.mean()) < 4 * error
    # Correlation of every batch with every other, the largest of 44,850.
    between = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
    assert np.abs(between).max() * np.sqrt(rows.shape[1]) < 6


@pytest.mark.filterwarnings("ignore:.*variables from other wrappers")
@pytest.mark.parametrize("name", ["dlyanti", "dm1", "multidm", "ctxdlydm2", "dnmc"])
def test_mean_of_drawn_trials_is_that_of_neurogyms(name: str) -> None:
    """Both draw at random here, so this needs no script."""
    env = getattr(yang19, name)(dt=100)
    env.get_wrapper_attr("seed")(0)
    env.reset()
    n = 600
    trials = cog20(100, [name]).sample(n, np.random.default_rng(5))
    sums = np.zeros((2, n, 34))
    for i in range(n):
        env.new_trial()
        sums[0, i, :33], sums[0, i, 33] = env.unwrapped.ob.sum(axis=0), len(env.unwrapped.ob)
    sums[1, :, :33] = trials.inputs[..., :33].sum(dim=0).numpy()
    sums[1, :, 33] = trials.lengths.numpy()
    theirs, ours = sums.mean(axis=1)
    error = np.sqrt(sums.var(axis=1).sum(axis=0) / n)
    assert (np.abs(theirs - ours) <= 4.5 * error + 1e-6).all()


@pytest.mark.parametrize("name", [DM[0], DM[3]])
def test_random_durations_have_neurogyms_law(name: str) -> None:
    trials = cog20(100, [name]).sample(3000, np.random.default_rng(6))
    fixation = np.bincount(trials.period("fixation")[:, 1])
    assert fixation.nonzero()[0].tolist() == [2, 3, 4]
    assert stats.chisquare(fixation[2:]).pvalue > 1e-3
    start, end = trials.period("stimulus").unbind(dim=1)
    stimulus = np.bincount(end - start)
    if name == "dm1":
        assert stimulus.nonzero()[0].tolist() == [2, 4, 6]
        assert stats.chisquare(stimulus[2::2]).pvalue > 1e-3
    else:
        assert stimulus.nonzero()[0].tolist() == [5]


@pytest.mark.parametrize(("name", "rate"), [("multidm", 1 / 8), ("multidlydm", 1 / 6)])
def test_ties_are_coin_flips(name: str, rate: float) -> None:
    drawn = cog20(100, [name]).sample(20_000, np.random.default_rng(7)).conditions
    evidence = [drawn[f"coherence_{s}_mod_1"] + drawn[f"coherence_{s}_mod_2"] for s in (1, 2)]
    tie = np.isclose(*evidence)
    assert stats.binomtest(int(tie.sum()), len(tie), rate).pvalue > 1e-3
    place_1 = drawn["theta_1"] / (2 * np.pi / 16) + 1
    first = np.isclose(drawn["target"], place_1)
    assert stats.binomtest(int(first[tie].sum()), int(tie.sum()), 0.5).pvalue > 1e-3
    assert (first == (evidence[0] > evidence[1]))[~tie].all()
