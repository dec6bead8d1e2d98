import math

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from brainrnn.anatomy import geometry
from brainrnn.errors import InputError
from brainrnn.networks.rnn import RNN, RNNSpec

LENGTHS = torch.tensor([3, 7, 5, 7, 1])
INPUTS = torch.randn(7, 5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def network(**options):
    options = {"dt": 100, "members": 2, "seed": 3, "dtype": torch.float64} | options
    return RNN(4, 3, geometry.grid(3, 4), **options)


def stepwise(net):
    """The equations of the docstring, one step and one member at a time."""
    outputs = []
    for m in range(net.members):
        h = torch.zeros(5, net.n_hidden, dtype=torch.float64)
        rows = []
        for t, x in enumerate(INPUTS):
            f = getattr(torch.nn.functional, net.spec.activation)
            drive = h @ net.w_rec[m].T + x @ net.w_in[m].T + net.b_rec[m]
            h = (1 - net.alpha) * h + net.alpha * f(drive)
            rows.append((h @ net.w_out[m].T + net.b_out[m]) * (t < LENGTHS)[:, None])
        outputs.append(torch.stack(rows))
    return torch.stack(outputs)


def gradients(net, outputs):
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).view_as(outputs)
    return torch.autograd.grad((weights * outputs.sin()).sum(), list(net.parameters()))


@pytest.mark.parametrize("activation", ["relu", "softplus", "tanh"])
@pytest.mark.parametrize("tau", [100.0, 250.0])
def test_the_hand_written_recurrence_equals_the_plain_loop(activation, tau):
    net = network(activation=activation, tau=tau)
    fast, plain = net(INPUTS, LENGTHS), stepwise(net)
    assert torch.allclose(fast, plain, atol=1e-12)
    for a, b in zip(gradients(net, fast), gradients(net, plain), strict=True):
        assert torch.allclose(a, b, atol=1e-10, rtol=1e-9)


@pytest.mark.parametrize("cell", ["gru", "leaky"])
def test_torchs_own_networks_give_the_same(cell):
    net = network(cell=cell, activation="tanh", members=1)
    reference = (torch.nn.GRU if cell == "gru" else torch.nn.RNN)(4, 12, dtype=torch.float64)
    with torch.no_grad():
        reference.weight_ih_l0.copy_(net.w_in[0])
        reference.weight_hh_l0.copy_(net.w_rec[0])
        reference.bias_hh_l0.copy_(net.b_rec[0])
        reference.bias_ih_l0.zero_()
    packed = pack_padded_sequence(INPUTS, LENGTHS, enforce_sorted=False)
    states, _ = pad_packed_sequence(reference(packed)[0])
    outputs, hidden = net.activity(INPUTS, LENGTHS)
    assert torch.allclose(hidden[0], states, atol=1e-12)
    assert torch.equal(outputs, net(INPUTS, LENGTHS))
    ours = torch.autograd.grad(hidden.sin().sum(), [net.w_in, net.w_rec, net.b_rec])
    theirs = torch.autograd.grad(
        states.sin().sum(),
        [reference.weight_ih_l0, reference.weight_hh_l0, reference.bias_hh_l0],
    )
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a[0], b, atol=1e-11)


@pytest.mark.parametrize("alpha", [1.0, 0.4])
def test_gradients_pass_the_numerical_check(alpha):
    net = network(activation="softplus", tau=100 / alpha)

    def run(*values):
        return torch.func.functional_call(
            net, dict(zip(names, values, strict=True)), (INPUTS, LENGTHS)
        )

    names = [name for name, _ in net.named_parameters()]
    assert torch.autograd.gradcheck(run, tuple(net.parameters()), fast_mode=True)


def test_a_second_derivative_is_refused_not_wrong():
    net = network(activation="tanh")
    (first,) = torch.autograd.grad(net(INPUTS).square().sum(), net.w_rec, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_each_member_computes_as_it_would_alone():
    both, first = network(), network(members=1)
    assert torch.allclose(both(INPUTS, LENGTHS)[:1], first(INPUTS, LENGTHS), atol=1e-12)
    assert not torch.allclose(both.w_rec[0], both.w_rec[1])


def test_trials_do_not_depend_on_their_neighbours_or_their_padding():
    net = network()
    whole = net(INPUTS, LENGTHS)
    for trial, length in enumerate(LENGTHS.tolist()):
        alone = net(INPUTS[:length, trial : trial + 1])
        assert torch.allclose(whole[:, :length, trial], alone[:, :, 0], atol=1e-12)
        assert not bool(whole[:, length:, trial].any())


@pytest.mark.parametrize("tau", [100.0, 400.0])
def test_private_noise_has_the_stated_variance_and_its_own_seed(tau):
    net = network(noise=0.3, tau=tau, activation="tanh", members=1)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
    inputs = torch.zeros(1, 4000, 4)
    _, hidden = net.activity(inputs, generator=torch.Generator().manual_seed(0))
    # One step from rest: h = alpha tanh(sqrt(2 / alpha) sigma xi)
    drive = torch.atanh(hidden.detach() / net.alpha)
    assert float(drive.std()) == pytest.approx(math.sqrt(2 / net.alpha) * 0.3, rel=0.02)
    again = net.activity(inputs, generator=torch.Generator().manual_seed(0))[1]
    assert torch.equal(hidden, again)
    assert not bool(net.activity(inputs)[1].any())


def test_near_identity_initialisation():
    n = 400
    net = RNN(4, 3, geometry.grid(20, 20), dt=100, self_weight=0.9, gain=0.4)
    random = net.w_rec[0].detach().numpy() - 0.9 * np.eye(n)
    assert random.std() == pytest.approx(0.4 / math.sqrt(n), rel=0.02)
    assert np.abs(np.linalg.eigvals(random)).max() == pytest.approx(0.4, rel=0.1)


def test_orthogonal_initialisation():
    w = network(initialisation="orthogonal").w_rec[0]
    assert torch.allclose(w @ w.T, torch.eye(12, dtype=torch.float64), atol=1e-12)


def test_sites_of_three_dimensions():
    net = RNN(4, 3, geometry.grid(2, 3, 4), dt=100)
    assert net.n_hidden == 24
    assert net.anatomy.positions("hidden").shape == (1, 24, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt": 100, "tau": 50}, "at most tau"),
        ({"dt": 0}, "positive"),
        ({"activation": "rleu"}, "activation"),
        ({"tua": 100}, "did you mean 'tau'"),
        ({"members": 0}, "members"),
        ({"spec": RNNSpec(), "tau": 100}, "not both"),
    ],
)
def test_impossible_networks_are_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message) as raised:
        network(**options)
    assert "\n" not in str(raised.value)
