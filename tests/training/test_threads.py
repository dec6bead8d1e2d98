"""One seed on one thread and on two: what is the same to the last bit, and what nearly."""

import pytest
import torch

import brainrnn as br
from brainrnn.training import loop
from tasks import cog20

SUITE = cog20(names=["go", "dm1"])
METHOD = br.BIMT(strength=1e-3, swap=br.SwapSpec(every=2))
SPEC = {"steps": 4, "evaluation_trials": 2, "progress": False}


@pytest.fixture(autouse=True)
def threads():
    """As many as before, afterwards."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def on_threads(number, sites, *, members=1, batch=16):
    """A trained network and its analysis."""
    torch.set_num_threads(number)
    net = br.RNN.for_suite(SUITE, sites=sites, members=members, noise=0.1)
    metrics = br.train(net, SUITE, METHOD, batch=batch, **SPEC)
    brain = br.analyse(net, SUITE, br.AnalysisSpec(trials=16, k=2, permutations=300))
    return net.state_dict(), metrics, brain


def assert_same(one, two):
    for name, value in one[0].items():
        assert torch.equal(value, two[0][name]), name
    assert one[1].equals(two[1])
    assert one[2].equals(two[2])


def test_small_steps_and_their_analysis_are_the_same_to_the_last_bit():
    assert_same(*(on_threads(n, br.grid(4, 4)) for n in (1, 2)))


def test_members_shared_among_threads_are_the_same_to_the_last_bit(monkeypatch):
    monkeypatch.setattr(loop, "_CACHE", 1)  # each member is a piece of its own
    assert_same(*(on_threads(n, br.grid(4, 4), members=3) for n in (1, 2)))


def test_large_steps_differ_by_the_order_of_their_sums_alone():
    one, two = (on_threads(n, br.grid(16, 16), batch=64) for n in (1, 2))
    assert one[1].loss.tolist() == pytest.approx(two[1].loss.tolist(), rel=1e-4)
    assert one[1].test_loss.tolist() == pytest.approx(two[1].test_loss.tolist(), rel=1e-4)
