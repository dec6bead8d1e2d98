"""Offers of new connections: to whom, how often, and never twice."""

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import brainrnn as br
from brainrnn.anatomy.growth import GrowthSpec, candidate_sites, nearest_sites, offers
from brainrnn.errors import InputError

DISTANCES = {
    "l1": (br.grid(7, 6), "l1"),
    "l2": (br.grid(7, 6), "l2"),
    "torus": (br.grid(6, 6), "periodic"),
    "a torus of city blocks": (br.grid(5, 8), br.periodic([5 / 8, 1.0], norm=1)),
    "sphere": (br.sphere(40), "great_circle"),
    "a function": (br.grid(6, 6), lambda a, b: torch.cdist(a, b, p=torch.inf)),
    "a matrix": (br.line(30), torch.cdist(br.grid(5, 6), br.grid(5, 6), p=1)),
}


def anatomy(sites, partners, *, distance="l2", gates=1, members=1, seed=0):
    """A population wired to itself, each neuron with itself and others as first partners."""
    n = len(sites)
    rows = torch.arange(n).repeat(gates)
    start = ((rows[:, None] + torch.arange(partners)) % n).int()
    made = br.Anatomy(
        [br.Population("hidden", sites)],
        {"w": f"({gates} hidden) hidden" if gates > 1 else "hidden hidden"},
        distance=distance,
        members=members,
        partners={"w": start.repeat(members, 1, 1)},
    )
    rng = np.random.default_rng(seed)
    places = np.stack([rng.permutation(n) for _ in range(members)])
    made.move("hidden", torch.from_numpy(places))
    return made


def drawn(made, free, spec, seed=0):
    near = candidate_sites(made, "hidden")
    return offers(made, "hidden", made.partners("w"), free, near, spec, np.random.default_rng(seed))


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_and_nearest_sites_against_the_whole_matrix(name, monkeypatch):
    sites, distance = DISTANCES[name]
    made = anatomy(sites, 2, distance=distance)
    whole = made.site_distances("hidden", "hidden").clone()
    monkeypatch.setattr("brainrnn.anatomy.populations._TABLE", 0)
    rows, columns = torch.randint(len(sites), (2, 50, 3))
    entries = made.between_sites("hidden", rows, "hidden", columns)
    torch.testing.assert_close(entries, whole[rows, columns], rtol=1e-12, atol=1e-12)
    near = nearest_sites(made, "hidden", 5)
    assert bool((near != torch.arange(len(sites))[:, None]).all())
    expected = whole.fill_diagonal_(torch.inf).sort(dim=1).values[:, :5]
    torch.testing.assert_close(whole.gather(1, near), expected, rtol=1e-9, atol=1e-9)
    assert nearest_sites(made, "hidden", 10**6).shape == (len(sites), len(sites) - 1)
    assert nearest_sites(made, "hidden", 0).shape == (len(sites), 0)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 40),
    share=st.floats(0.05, 1),
    gates=st.sampled_from([1, 3]),
    reach=st.sampled_from([1e-6, 0.05, 10.0]),
    far=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_nobody_is_offered_twice_and_what_is_kept_stays(n, share, gates, reach, far, seed):
    k = max(1, round(share * n))
    made = anatomy(br.line(n), k, gates=gates, members=2, seed=seed)
    before = made.partners("w").clone()
    free = torch.rand(before.shape, generator=torch.Generator().manual_seed(seed)) < 0.6
    free[..., 0] = False  # itself
    after = drawn(made, free, GrowthSpec(reach=reach, far=far), seed)
    made.check_partners("w", after)  # all different, all neurons
    assert torch.equal(after[~free], before[~free])
    assert torch.equal(made.partners("w"), before)
    assert torch.equal(after, drawn(made, free, GrowthSpec(reach=reach, far=far), seed))


@pytest.mark.parametrize(("side", "far"), [(12, 0.0), (12, 0.3), (40, 0.2)])
def test_offers_follow_the_law(side, far):
    """A single free slot of every neuron, many times; 40 x 40 neurons are known by a sample."""
    made = anatomy(br.grid(side, side), 2)
    n = side**2
    free = torch.zeros(1, n, 2, dtype=torch.bool)
    free[..., 1] = True
    spec = GrowthSpec(reach=0.15, far=far)
    distance = made.site_distances("hidden", "hidden")[made.places("hidden")[0]]
    distance = distance[:, made.places("hidden")[0]]
    fall = torch.exp(-distance / spec.reach).fill_diagonal_(0)
    law = (1 - far) * fall / fall.sum(1, keepdim=True)
    law += far * (1 - torch.eye(n)) / (n - 1)
    edges = torch.tensor([0.0, 0.05, 0.1, 0.2, 0.4, 2.0], dtype=torch.float64)
    ring = torch.bucketize(distance, edges)
    repeats = 40
    found = torch.zeros(len(edges) + 1)
    for seed in range(repeats):
        partner = drawn(made, free, spec, seed)[0, :, 1].long()
        found += torch.bincount(ring[torch.arange(n), partner], minlength=len(edges) + 1)
    expected = torch.zeros(len(edges) + 1, dtype=torch.float64)
    expected.index_add_(0, ring.flatten(), law.flatten())
    there = expected > 0
    expected = expected[there] / expected.sum() * found.sum()
    if n <= 1024:
        assert scipy.stats.chisquare(found[there], expected).pvalue > 1e-3
    else:  # shares of a sample: their error falls with its size, not with the number of draws
        torch.testing.assert_close(found[there].double(), expected, rtol=0.05, atol=0)


def test_new_neighbours_are_those_of_the_place_not_of_the_number():
    made = anatomy(br.line(200), 9)
    free = torch.ones(1, 200, 9, dtype=torch.bool)
    free[..., 0] = False
    partners = drawn(made, free, GrowthSpec(reach=0.005, far=0.0))[0, :, 1:].long()
    places = made.places("hidden")[0]
    assert (places[partners] - places[:, None]).abs().double().mean() < 4


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(1, 9, 2, dtype=torch.int32),
        torch.tensor([0, 9]).expand(1, 9, 2).int(),
        torch.tensor([0, -1]).expand(1, 9, 2).int(),
        torch.tensor([0, 1]).expand(1, 9, 2),
        torch.tensor([0, 1]).expand(1, 8, 2).int(),
        torch.tensor([0, 1, 2]).expand(1, 9, 3).int(),
    ],
)
def test_wrong_partners_are_refused(wrong):
    made = anatomy(br.grid(3, 3), 2)
    before = made.partners("w").clone()
    with pytest.raises(InputError, match="different neurons from 0 to 8"):
        made.rewire("w", wrong)
    assert torch.equal(made.partners("w"), before)


def test_partners_of_what_has_no_places_are_refused():
    hidden = br.Population("hidden", br.line(3))
    with pytest.raises(InputError, match="joins no neurons that have places"):
        br.Anatomy(
            [hidden], {"w": "hidden _"}, partners={"w": torch.zeros(1, 3, 1, dtype=torch.int32)}
        )
