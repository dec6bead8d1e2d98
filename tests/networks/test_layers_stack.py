"""The hand-written stack of layers against torch's own, by automatic differentiation."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from brainrnn.networks.layers import ACTIVATIONS, Passed, through_layers

PLAIN = {
    "silu": lambda x: x / (1 + torch.exp(-x)),
    "relu": lambda x: x.clamp(min=0),
    "tanh": lambda x: nn.Tanh()(x),
    "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
}
SIZES = (4, 6, 5, 3)


def drawn(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


def stack(sizes=SIZES, members=3, rows=7):
    """A state, and weight and bias of every layer; all ask for their gradients."""
    state = drawn(members, rows, sizes[0], seed=1)
    parameters = []
    for i, (source, n) in enumerate(pairwise(sizes)):
        parameters += [drawn(members, n, source, seed=10 + i), drawn(members, n, seed=20 + i)]
    return state.requires_grad_(), [p.requires_grad_() for p in parameters]


def plain(state, activation, parameters, *, activated):
    """Member by member, layer by layer."""
    outputs = []
    for m, member in enumerate(state):
        for i, (weight, bias) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
            h = member if activated and i == 0 else PLAIN[activation](member)
            member = functional.linear(h, weight[m], bias[m])
        outputs.append(member)
    return torch.stack(outputs)


def gradients(outputs, wanted):
    weights = torch.linspace(-1, 2, outputs.numel()).double().view_as(outputs)
    return torch.autograd.grad((weights * outputs.sin()).sum(), wanted)


def assert_all_close(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)


def test_every_activation_is_tested():
    assert set(PLAIN) == set(ACTIVATIONS)


@pytest.mark.parametrize("entrance", [True, False])
@pytest.mark.parametrize("activated", [True, False])
@pytest.mark.parametrize("activation", PLAIN)
def test_outputs_and_gradients_are_those_of_torchs_layers(activation, activated, entrance):
    state, parameters = stack()
    wanted = [state, *parameters] if entrance else parameters
    state.requires_grad_(entrance)
    before = state.detach().clone()
    ours = through_layers(state, activation, parameters, activated=activated)
    theirs = plain(state, activation, parameters, activated=activated)
    assert ours.shape == (3, 7, 3)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    assert_all_close(gradients(ours, wanted), gradients(theirs, wanted))
    assert torch.equal(state, before)


@pytest.mark.parametrize("entrance", [True, False])
@pytest.mark.parametrize("activated", [True, False])
@pytest.mark.parametrize("activation", PLAIN)
def test_what_a_pass_leaves_behind_leads_back(activation, activated, entrance):
    state, parameters = stack()
    with torch.no_grad():
        passed = Passed.forward(state, activation, parameters, activated=activated)
        slope = drawn(*passed.outputs.shape, seed=5)
        own, ours = passed.backward(slope, activation, entrance=entrance, activated=activated)
    outputs = plain(state, activation, parameters, activated=activated)
    assert torch.allclose(passed.outputs, outputs, rtol=0, atol=1e-12)
    expected, *theirs = torch.autograd.grad(outputs, [state, *parameters], slope)
    assert_all_close(ours, theirs)
    if entrance:
        assert_all_close([own], [expected])
    else:
        assert own is None


LAYOUTS = {
    "rows within units": lambda x: x.mT.contiguous().mT,
    "members within rows": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "every other row": lambda x: x.repeat_interleave(2, 1)[:, ::2],
    "some units of more": lambda x: torch.cat([x, x], 2)[..., : x.shape[2]],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activated", [True, False])
@pytest.mark.parametrize("activation", PLAIN)
def test_rows_may_lie_anyhow_in_memory(activation, activated, layout):
    state, parameters = stack()
    laid = LAYOUTS[layout](state.detach()).requires_grad_()
    assert not laid.is_contiguous()
    assert torch.equal(laid, state)
    ours = through_layers(laid, activation, parameters, activated=activated)
    theirs = plain(state, activation, parameters, activated=activated)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    assert_all_close(gradients(ours, [laid, *parameters]), gradients(theirs, [state, *parameters]))


@pytest.mark.parametrize("activated", [True, False])
def test_all_members_may_see_one_state(activated):
    _, parameters = stack()
    rows = drawn(7, 4, seed=3).requires_grad_()
    ours = through_layers(rows.expand(3, -1, -1), "silu", parameters, activated=activated)
    theirs = plain(rows.expand(3, -1, -1), "silu", parameters, activated=activated)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    assert_all_close(gradients(ours, [rows, *parameters]), gradients(theirs, [rows, *parameters]))


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    members=st.integers(1, 4),
    rows=st.integers(1, 9),
    activation=st.sampled_from(sorted(PLAIN)),
    activated=st.booleans(),
)
def test_any_stack(sizes, members, rows, activation, activated):
    state, parameters = stack(sizes, members, rows)
    ours = through_layers(state, activation, parameters, activated=activated)
    theirs = plain(state, activation, parameters, activated=activated)
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    assert_all_close(gradients(ours, [state, *parameters]), gradients(theirs, [state, *parameters]))


def test_a_member_has_no_part_in_anothers_outputs():
    state, parameters = stack()
    outputs = through_layers(state, "tanh", parameters, activated=False)
    for value in torch.autograd.grad(outputs[1].sum(), [state, *parameters]):
        assert value.flatten(1).any(1).tolist() == [False, True, False]


@pytest.mark.parametrize("activated", [True, False])
@pytest.mark.parametrize("activation", PLAIN)
def test_gradients_pass_the_numerical_check(activation, activated):
    state, parameters = stack((3, 4, 2), members=2, rows=3)

    def run(state, *parameters):
        return through_layers(state, activation, parameters, activated=activated)

    assert torch.autograd.gradcheck(run, (state, *parameters))


def test_a_second_derivative_is_refused_not_wrong():
    state, parameters = stack()
    outputs = through_layers(state, "tanh", parameters, activated=True)
    (first,) = torch.autograd.grad(outputs.square().sum(), parameters[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
