import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.spatial.distance import pdist, squareform

from brainrnn.analysis import connection_lengths
from brainrnn.anatomy.geometry import grid

SIDE = 14
PLACES = SIDE * grid(SIDE, SIDE).numpy()
DISTANCE = squareform(pdist(PLACES))
CONTACTS = {
    "power_law": lambda d: 0.8 * d**-1.7,
    "exponential": lambda d: 0.8 * np.exp(-0.5 * d),
    "lognormal": lambda d: 0.3 * d ** (-0.5 - 0.6 * np.log(d)),
    "stretched_exponential": lambda d: 2 * np.exp(-1.2 * d**0.7),
    "truncated_power_law": lambda d: 0.8 * d**-0.8 * np.exp(-0.25 * d),
}
TRUTH = {
    "power_law": {"intensity": 0.8, "exponent": 1.7},
    "exponential": {"intensity": 0.8, "rate": 0.5},
    "lognormal": {"intensity": 0.3, "exponent": 0.5, "curvature": 0.6},
    "stretched_exponential": {"intensity": 2, "rate": 1.2, "shape": 0.7},
    "truncated_power_law": {"intensity": 0.8, "exponent": 0.8, "rate": 0.25},
}


def planted(model, seed=0, distance=DISTANCE):
    rng = np.random.default_rng(seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = -np.expm1(-CONTACTS[model](distance))
    np.fill_diagonal(p, 1)  # connections of neurons with themselves do not count
    return rng.random(p.shape) < p


@pytest.mark.parametrize("model", CONTACTS)
def test_planted_parameters_come_out(model):
    fit = connection_lengths(DISTANCE, planted(model)).sel(model=model)
    for name, true in TRUTH[model].items():
        one = fit.sel(parameter=name)
        error = float(one.standard_error)
        assert 0 < error < 0.5 * true
        assert float(one.estimate) == pytest.approx(true, abs=3.5 * error)
    assert np.isfinite(fit.estimate).sum() == len(TRUTH[model])


@pytest.mark.parametrize("model", CONTACTS)
def test_the_planted_model_is_the_likeliest_or_nearly(model):
    fit = connection_lengths(DISTANCE, planted(model))
    aic = fit.aic.to_series()
    assert aic[model] - aic.min() < 4
    if model == "power_law":
        assert aic["exponential"] - aic["power_law"] > 50
    else:
        assert aic["power_law"] - aic[model] > 20


@pytest.mark.parametrize("model", CONTACTS)
def test_likelihoods_against_a_plain_search_over_all_pairs(model):
    """Nelder-Mead on the sum over pairs, written down as the docstring has it."""
    distance = DISTANCE[:60, :60]
    connected = planted(model, distance=distance)
    pairs = [(distance[i, j], connected[i, j]) for i in range(60) for j in range(60) if i != j]
    d, hit = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    shape = {
        "power_law": lambda t: t[0] * d ** -t[1],
        "exponential": lambda t: t[0] * np.exp(-t[1] * d),
        "lognormal": lambda t: t[0] * d ** (-t[1] - t[2] * np.log(d)),
        "stretched_exponential": lambda t: t[0] * np.exp(-t[1] * d ** t[2]),
        "truncated_power_law": lambda t: t[0] * d ** -t[1] * np.exp(-t[2] * d),
    }[model]

    def loss(t):
        if t[0] <= 0 or (t[-1] < 0 and len(t) > 2):
            return 1e9
        p = np.clip(-np.expm1(-shape(t)), 1e-300, 1 - 1e-16)
        return -np.log(np.where(hit, p, 1 - p)).sum()

    options = {"maxiter": 5000, "maxfev": 5000, "xatol": 1e-8, "fatol": 1e-10}
    expected = minimize(loss, list(TRUTH[model].values()), method="Nelder-Mead", options=options)
    fit = connection_lengths(distance, connected).sel(model=model)
    assert float(fit.log_likelihood) == pytest.approx(-expected.fun, abs=1e-4)
    k = len(expected.x)
    assert float(fit.aic) == pytest.approx(2 * k + 2 * expected.fun, abs=1e-3)
    found = fit.estimate.sel(parameter=list(TRUTH[model])).values
    np.testing.assert_allclose(found, expected.x, rtol=2e-2)


@pytest.mark.parametrize(
    ("model", "features"),
    [
        ("power_law", (np.log,)),
        ("exponential", (np.asarray,)),
        ("lognormal", (np.log, lambda d: np.log(d) ** 2)),
        ("truncated_power_law", (np.log, np.asarray)),
    ],
)
def test_fits_without_an_edge_are_binomial_regressions_of_statsmodels(model, features):
    """With log contacts linear in their parameters, 1 - exp(-mu) is the inverse of cloglog."""
    connected = planted(model)
    off = ~np.eye(len(DISTANCE), dtype=bool)
    d, kind = np.unique(DISTANCE[off].round(9), return_inverse=True)
    hits, pairs = np.bincount(kind, connected[off]), np.bincount(kind)
    design = np.stack([np.ones_like(d), *(-feature(d) for feature in features)], axis=1)
    family = sm.families.Binomial(link=sm.families.links.CLogLog())
    fit = sm.GLM(np.stack([hits, pairs - hits], axis=1), design, family=family).fit(tol=1e-12)
    ours = connection_lengths(DISTANCE, connected).sel(model=model)
    known = ours.estimate.dropna("parameter").values
    np.testing.assert_allclose([np.log(known[0]), *known[1:]], fit.params, rtol=1e-4, atol=1e-5)
    p = fit.predict(design)
    likelihood = (hits * np.log(p) + (pairs - hits) * np.log1p(-p)).sum()
    assert float(ours.log_likelihood) == pytest.approx(likelihood, rel=1e-9)


def test_ratios_tell_power_laws_from_exponentials():
    power, exponential = (
        connection_lengths(DISTANCE, planted(m)).sel(model="exponential")
        for m in ("power_law", "exponential")
    )
    assert float(power.ratio_z) > 3
    assert float(exponential.ratio_z) < -3
    assert max(float(power.ratio_p), float(exponential.ratio_p)) < 0.01
    assert float(power.ratio_p) == pytest.approx(2 * scipy.stats.norm.sf(float(power.ratio_z)))


@pytest.mark.slow
def test_a_power_law_is_not_rejected_too_often_for_one_with_a_cut_off():
    distance = DISTANCE[:84, :84]
    fits = [connection_lengths(distance, planted("power_law", s, distance)) for s in range(60)]
    p = np.array([float(f.ratio_p.sel(model="truncated_power_law")) for f in fits])
    assert (p <= 0.1).mean() <= 0.1 + 3 * np.sqrt(0.09 / 60)
    assert (p == 1).mean() > 0.2  # half of the time there is nothing to gain
    exponent = np.array([float(f.estimate[0, 1]) for f in fits])
    error = np.array([float(f.standard_error[0, 1]) for f in fits])
    assert exponent.mean() == pytest.approx(1.7, abs=4 * exponent.std() / np.sqrt(60))
    assert error.mean() == pytest.approx(exponent.std(), rel=0.35)


def test_errors_know_that_neurons_differ_in_their_connections():
    distance, rng, fits = DISTANCE[:98, :98], np.random.default_rng(0), []
    for _ in range(60):
        sending = rng.gamma(0.7, size=len(distance))
        with np.errstate(divide="ignore"):
            p = -np.expm1(-0.4 * sending / distance)
        fit = connection_lengths(distance, rng.random(p.shape) < p).sel(model="power_law")
        n, hits = 98 * 97, float(fit.bin_connected.sum())
        naive = 1 / np.sqrt(hits * (1 - hits / n))  # of the log intensity, at least, if independent
        fits.append([float(fit.estimate[0]), float(fit.standard_error[0]), naive])
    intensity, error, naive = np.transpose(fits)
    spread = np.log(intensity).std()
    assert (error / intensity).mean() == pytest.approx(spread, rel=0.4)
    assert naive.mean() < 0.5 * spread


def test_bins_count_every_pair_once():
    connected = planted("exponential")
    fit = connection_lengths(DISTANCE, connected)
    n = len(DISTANCE)
    assert int(fit.bin_pairs.sum()) == n * (n - 1)
    assert int(fit.bin_connected.sum()) == connected.sum() - n
    first = (DISTANCE > 0) & (DISTANCE < 1.42)
    assert float(fit.bin_pairs[0]) == first.sum()
    assert float(fit.bin_connected[0]) == (connected & first).sum()
    assert float(fit.bin_distance[0]) == pytest.approx(DISTANCE[first].mean())
    fitted = (fit.bin_probability * fit.bin_pairs).sum("bin").sel(model="exponential")
    assert float(fitted) == pytest.approx(float(fit.bin_connected.sum()), rel=1e-3)


def test_the_order_of_neurons_and_the_direction_of_connections_do_not_matter():
    connected, order = planted("exponential"), np.random.default_rng(3).permutation(len(DISTANCE))
    expected = connection_lengths(DISTANCE, connected)
    other = connection_lengths(DISTANCE[np.ix_(order, order)], connected[np.ix_(order, order)].T)
    np.testing.assert_allclose(other.estimate, expected.estimate, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other.ratio_z, expected.ratio_z, rtol=1e-3)


@pytest.mark.parametrize("value", [False, True])
def test_nothing_to_fit(value):
    fit = connection_lengths(DISTANCE[:9, :9], np.full((9, 9), value))
    assert np.isnan(fit.estimate).all()
    assert np.isnan(fit.akaike_weight).all()
    assert float(fit.bin_pairs.sum()) == 72
    assert connection_lengths(np.zeros((1, 1)), np.ones((1, 1), bool)).aic.isnull().all()


def test_every_variable_has_a_name_and_units():
    fit = connection_lengths(DISTANCE[:20, :20], planted("exponential")[:20, :20])
    for variable in fit.data_vars.values():
        assert variable.attrs["long_name"]
        assert variable.attrs["units"]
    assert float(fit.akaike_weight.sum()) == pytest.approx(1)
