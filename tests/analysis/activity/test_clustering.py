import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, ward
from sklearn.metrics import adjusted_rand_score, silhouette_score

from brainrnn.analysis import cluster_units, normalise
from brainrnn.errors import InputError
from tests.analysis.refused import refused
from tests.analysis.synthetic import as_variance


def planted(sizes, tasks=8, seed=0, noise=0.05):
    """Variances of modules of these sizes, in random order, and the module of each unit."""
    rng = np.random.default_rng(seed)
    module = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    profile = np.eye(len(sizes), tasks) + 0.1
    return (profile[module] + noise * rng.random((len(module), tasks))) * rng.gamma(
        3, 1, (len(module), 1)
    ), module


def cluster_all(values, **options):
    variance, active = as_variance(values)
    return cluster_units(variance, active=active, **options)


@pytest.mark.parametrize("method", ["kmeans", "agglomerative", "mixture"])
def test_planted_modules_are_found_with_their_number(method):
    values, module = planted([30, 20, 15, 10, 5])
    variance, active = as_variance(values[None])
    result = cluster_units(variance, active=active, k_range=(2, 9), method=method)
    assert int(result.clusters[0]) == 5
    assert adjusted_rand_score(module, result.module[0]) == 1
    assert int(result.silhouette[0].idxmax()) == 5


def test_agglomeration_is_wards():
    values, _ = planted([12, 9, 6, 3], noise=0.4)
    variance, active = as_variance(values[None])
    found = cluster_units(variance, active=active, k=4, method="agglomerative").module[0]
    expected = fcluster(ward(normalise(variance).values[0]), 4, "maxclust")
    assert adjusted_rand_score(found, expected) == 1


def test_silhouettes_are_those_of_the_normalised_variances():
    values, _ = planted([10, 10, 10])
    variance, active = as_variance(values[None])
    result = cluster_units(variance, active=active, k=3)
    expected = silhouette_score(normalise(variance)[0], result.module[0])
    np.testing.assert_allclose(result.silhouette.sel(k=3), expected)


def test_modules_are_numbered_by_size_and_then_by_first_unit():
    values, module = planted([4, 9, 4, 6], noise=0)
    values += 1e-3 * np.random.default_rng(0).random(values.shape)
    variance, active = as_variance(values[None])
    found = cluster_units(variance, active=active, k=4).module.values[0]
    assert np.bincount(found).tolist() == [9, 6, 4, 4]
    assert np.flatnonzero(found == 2)[0] < np.flatnonzero(found == 3)[0]
    assert adjusted_rand_score(module, found) == 1


def test_inactive_neurons_have_no_module_and_no_influence():
    values, _ = planted([12, 8, 6])
    silent = np.insert(values, [0, 5, 5, 20], 1e-9, axis=0)
    variance, active = as_variance(silent[None])
    result = cluster_units(variance, active=active, k=3).module.values[0]
    alone, every = as_variance(values[None])
    expected = cluster_units(alone, active=every, k=3).module.values[0]
    np.testing.assert_array_equal(result[active.values[0]], expected)
    assert (result[~active.values[0]] == -1).all()


def test_a_network_does_not_depend_on_the_others():
    values = np.stack([planted([9, 7, 5], seed=s)[0] for s in (0, 1)])
    together = cluster_all(values, k_range=(2, 5), seed=3)
    for m in range(2):
        alone = cluster_all(values[m : m + 1], k_range=(2, 5), seed=3)
        assert alone.isel(member=0).identical(together.isel(member=m))


def test_numbers_of_modules_beyond_the_distinct_neurons_are_left_out():
    variance, active = as_variance([np.eye(4)[[0, 0, 1, 1, 2, 2]]])
    result = cluster_units(variance, active=active, k_range=(2, 6))
    assert int(result.clusters[0]) == 3
    np.testing.assert_array_equal(result.silhouette[0].isnull(), [0, 0, 1, 1, 1])


@pytest.mark.parametrize("method", ["kmeans", "agglomerative", "mixture"])
@pytest.mark.parametrize("size", [5, 1])
def test_one_module_is_possible_when_asked_for(method, size):
    variance, active = as_variance(planted([size])[0][None])
    result = cluster_units(variance, active=active, k=1, method=method)
    assert (result.module == 0).all()


def test_an_unknown_method():
    variance, active = as_variance(planted([5, 5])[0][None])
    with refused("unknown clustering 'kmean': did you mean 'kmeans'"):
        cluster_units(variance, active=active, method="kmean")


def test_too_few_active_neurons_stay_in_one_module():
    variance, active = as_variance([[[1.0, 0.0], [0.0, 0.0]]])
    result = cluster_units(variance, active=active, k_range=(2, 5))
    assert result.module.values.tolist() == [[0, -1]]
    assert int(result.clusters[0]) == 1
    assert bool(result.silhouette.isnull().all())


def test_one_task_has_one_module():
    variance, active = as_variance(np.arange(1.0, 31.0).reshape(1, 30, 1))
    assert int(cluster_units(variance, active=active).clusters[0]) == 1


def test_a_network_that_cannot_form_modules_leaves_the_others_alone():
    features = planted([5, 5])[0]
    variance, active = as_variance(np.stack([features, np.zeros_like(features)]))
    result = cluster_units(variance, active=active, k=2)
    assert result.clusters.values.tolist() == [2, 0]
    alone = cluster_units(variance[:1], active=active[:1], k=2)
    np.testing.assert_array_equal(result.module[0], alone.module[0])


def test_more_modules_than_neurons_are_refused():
    variance, active = as_variance([[[1.0, 0.0], [0.0, 0.0]]])
    with pytest.raises(InputError, match="cannot form k = 2 modules") as error:
        cluster_units(variance, active=active, k=2)
    assert "\n" not in str(error.value)
