import numpy as np
import xarray as xr

from brainrnn.analysis import active_units, normalise, record, task_variance
from tests.analysis.synthetic import Suite, as_variance, quadrants, tuned_net


def ragged(rng, members=2, trials=12, steps=7, units=3):
    values = rng.normal(size=(members, trials, steps, units))
    for i, end in enumerate(rng.integers(2, steps + 1, trials)):
        values[:, i, end:] = np.nan
    values[:, 0, :] = rng.normal(size=(members, steps, units))
    return xr.DataArray(values, dims=("member", "trial", "time", "unit"))


def test_task_variance_against_plain_loops():
    activity = ragged(np.random.default_rng(0))
    result = task_variance(activity)
    for m in range(2):
        for u in range(3):
            total, weight = 0.0, 0
            for t in range(7):
                present = [x for x in activity.values[m, :, t, u] if not np.isnan(x)]
                mean = sum(present) / len(present)
                total += sum((x - mean) ** 2 for x in present)  # n_t times the variance
                weight += len(present)
            np.testing.assert_allclose(result[m, u], total / weight, rtol=1e-12)


def test_trials_of_equal_length_give_the_plain_mean_over_time():
    values = np.random.default_rng(0).normal(size=(1, 20, 5, 4))
    activity = xr.DataArray(values, dims=("member", "trial", "time", "unit"))
    np.testing.assert_allclose(task_variance(activity), values.var(1).mean(1), rtol=1e-12)


def test_variance_of_a_network_follows_its_tuning():
    places, modules = quadrants(4)
    net = tuned_net(modules, places, members=2)
    activity = record(net, Suite(), "a", trials=50, rng=np.random.default_rng(0))
    ratio = task_variance(activity) / net.tuning[:, :, 0].numpy() ** 2
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)


def test_normalise_divides_by_the_largest_and_leaves_silence_alone():
    variance, _ = as_variance([[[1.0, 4.0, 2.0], [0.0, 0.0, 0.0]]])
    np.testing.assert_array_equal(normalise(variance)[0], [[0.25, 1.0, 0.5], [0, 0, 0]])


def test_the_threshold_is_relative_to_each_network():
    variance, _ = as_variance([[[4, 6], [0.05, 0.05], [0.04, 0.05]], [[1e-9, 0], [0, 0], [0, 0]]])
    np.testing.assert_array_equal(
        active_units(variance, 0.01), [[True, True, False], [True, False, False]]
    )
    assert not active_units(variance, 0)[1, 1]  # a silent neuron is never active
