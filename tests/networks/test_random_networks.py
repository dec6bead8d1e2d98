"""What holds of every network of ours, of any size: swaps, numbers of neurons, batches."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.wiring_cost.swap import relocate
from tests import anatomies


def close(one, two):
    """The same but for the order of sums, which a processor's library chooses by their size."""
    error = 1e-4 if one.dtype == torch.float32 else 1e-12
    return torch.allclose(one, two, rtol=error, atol=error)


@settings(max_examples=40)
@given(data=st.data(), case=anatomies.networks())
def test_swaps_change_no_bit_of_the_outputs(data, case):
    """Places take no part in the arithmetic, so that nothing can be rounded otherwise."""
    net, batch = case
    before = net.respond(batch)
    for swap in data.draw(st.lists(anatomies.swaps, min_size=1, max_size=3)):
        relocate(net, data.draw(anatomies.prices(net)), swap)
        assert torch.equal(net.respond(batch), before)


@settings(max_examples=40)
@given(case=anatomies.networks(), seed=anatomies.seeds)
def test_numbers_of_hidden_neurons_mean_nothing(case, seed):
    """Weights that are moved compute the same function; sums in another order, other last bits."""
    net, batch = case
    before = net.respond(batch)
    order = anatomies.orders(net, seed, whole=True)
    fixed = {"input", "out"} - ({"input"} if getattr(net, "tokens", None) else set())
    anatomies.renumber(net, {name: of for name, of in order.items() if name not in fixed})
    assert close(net.respond(batch), before)


@settings(max_examples=40)
@given(case=anatomies.networks())
def test_a_batch_is_what_its_trials_are_one_by_one(case):
    net, batch = case
    together = net.respond(batch)
    for i, one in enumerate(anatomies.one_by_one(batch)):
        alone = net.respond(one)
        if isinstance(batch, anatomies.Examples):
            assert close(alone[:, 0], together[:, i])
        else:
            length = alone.shape[1]
            assert close(alone[:, :, 0], together[:, :length, i])
            assert not bool(together[:, length:, i].any())


@settings(max_examples=40)
@given(case=anatomies.networks())
def test_members_side_by_side_are_what_each_is_alone(case):
    net, batch = case
    together = net.respond(batch)
    for m in range(net.members):
        assert close(net.select(m).respond(batch)[0], together[m])
