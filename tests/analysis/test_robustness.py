import numpy as np
import pytest

from brainrnn.analysis import AnalysisSpec, analyse, robustness
from tests.analysis.refused import refused
from tests.analysis.synthetic import Suite, brain_dataset, quadrants, tuned_net

CHOICES = ["threshold", "clustering", "rule", "neighbourhood"]


@pytest.fixture(scope="module")
def net():
    places, modules = quadrants(6)
    modules = np.where(np.arange(36) % 5 == 4, 0, modules)  # not a perfect map
    return tuned_net(modules, places, members=2)


SPEC = AnalysisSpec(trials=16, accuracy_trials=8, permutations=99, k_range=(2, 5))


@pytest.fixture(scope="module")
def table(net):
    return robustness(
        analyse(net, Suite(), SPEC, seed=3),
        ks=("silhouette", 3, 7),
        thresholds=(0.01, 0.5),
        neighbourhoods=("4", 1.5),
    )


def test_every_choice_has_its_rows(table):
    assert len(table) == 2 * 3 * 2 * 3 * (2 + 1)  # members, ks, thresholds, clusterings, statistics
    assert not table.duplicated(["member", "statistic", *CHOICES]).any()
    assert table[table.statistic == "cluster_size"].neighbourhood.isna().all()
    assert set(table[table.statistic == "isolated"].neighbourhood) == {"4", 1.5}


@pytest.mark.parametrize("clustering", ["kmeans", "agglomerative", "mixture"])
@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("neighbourhood", ["4", 1.5])
def test_each_row_is_what_analyse_says_with_these_choices(net, table, clustering, k, neighbourhood):
    spec = SPEC.model_copy(
        update={"clustering": clustering, "k": k, "neighbourhood": neighbourhood}
    )
    brain = analyse(net, Suite(), spec, seed=3)
    mine = table[(table.threshold == 0.01) & (table.clustering == clustering)]
    mine = mine[mine.rule == ("silhouette" if k is None else k)]
    for member in range(2):
        of_member = mine[mine.member == member]
        for name in ("isolated", "cluster_size"):
            row = of_member[of_member.statistic == name]
            if name == "isolated":
                row = row[row.neighbourhood == neighbourhood]
            (row,) = row.itertuples()
            one = brain.isel(member=member).sel(statistic=name)
            assert row.clusters == int(one.clusters)
            assert row.active == int(one.active.sum())
            for field in ("observed", "z", "p"):
                np.testing.assert_array_equal(getattr(row, field), float(one[field]))


def test_more_modules_than_neurons_have_no_row_of_numbers():
    brain = brain_dataset((4, 4))
    table = robustness(brain, ks=(2, 20), thresholds=(0.01,), clusterings=("kmeans",))
    few, many = (table[table.rule == k] for k in (2, 20))
    assert few.z.notna().all()
    assert many[["clusters", "observed", "z", "p"]].isna().all(axis=None)


def test_a_silent_network_does_not_stop_the_others(net):
    brain = analyse(net, Suite(), SPEC, seed=3)
    brain["task_variance"][0] = 0
    table = robustness(brain, ks=("silhouette", 3), thresholds=(0.01,), clusterings=("kmeans",))
    assert table[table.member == 0].p.isna().all()
    assert table[table.member == 1].p.notna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ks": ()}, "at least one choice of ks"),
        ({"ks": (1,)}, "unknown number of modules 1"),
        ({"ks": ("silhouettes",)}, "unknown number of modules 'silhouettes'"),
        ({"clusterings": ("kmean",)}, "did you mean 'kmeans'"),
        ({"neighbourhoods": ("5",)}, "unknown neighbourhood '5'"),
    ],
)
def test_bad_choices(net, options, message):
    with refused(message):
        robustness(brain_dataset((4, 4)), **options)
