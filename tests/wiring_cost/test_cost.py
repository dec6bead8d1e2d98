import itertools

import pytest
import torch

from brainrnn.errors import InputError
from brainrnn.wiring_cost.cost import CostSpec, connection_cost, cost_coefficients
from brainrnn.wiring_cost.method import BIMT
from tests.placed import Wired


def brute_force(net, member, *, locality, offset, biases, mean, factors, on_locality=None):
    """Eq. 3, one connection at a time."""
    total = 0.0
    for name, value in net.named_parameters():
        axes = net.anatomy.wiring[name]
        value = value[member].detach()
        if value.ndim == 1 and not biases:
            continue
        share = factors.get(name, 1.0) / (value.numel() if mean else 1)
        for index in itertools.product(*(range(n) for n in value.shape)):
            price = offset
            if len(axes) == 2 and axes[0].population and axes[1].population:
                a, b = (net.anatomy.positions(axis.population)[member] for axis in axes)
                distance = (a[index[0] % len(a)] - b[index[1] % len(b)]).norm()
                price += locality * (on_locality or {}).get(name, 1.0) * float(distance)
            total += share * price * abs(float(value[index]))
    return total


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("biases", [False, True])
def test_cost_equals_a_loop_over_all_connections(mean, biases):
    net = Wired()
    net.shuffle(0)
    factors = {"rec": 0.3, "embed": 2.0, "free": 0.0}
    on_locality = {"up": 0.0, "gru": 3.0}
    spec = CostSpec(
        locality=(0.0, 2.5),
        offset=0.7,
        biases_from=0.0 if biases else 1.0,
        reduction="mean" if mean else "sum",
        parameter_strength=factors,
        parameter_locality=on_locality,
    )
    cost = connection_cost(net, spec).detach()
    for member, locality in enumerate((0.0, 2.5)):
        expected = brute_force(
            *(net, member),
            locality=locality,
            offset=0.7,
            biases=biases,
            mean=mean,
            factors=factors,
            on_locality=on_locality,
        )
        assert float(cost[member]) == pytest.approx(expected, rel=1e-12)


def test_coefficients_are_the_gradient_of_the_cost():
    net = Wired()
    net.shuffle(4)
    spec = CostSpec(locality=1.5, reduction="mean")
    connection_cost(net, spec).sum().backward()
    for name, cost in cost_coefficients(net, spec).items():
        value = dict(net.named_parameters())[name]
        assert torch.allclose(value.grad, cost * value.sign())


@pytest.mark.parametrize(
    ("biases_from", "progress", "paid"),
    [(0.0, 0.0, True), (0.5, 0.49, False), (0.5, 0.5, True), (0.5, 1.0, True), (1.0, 1.0, False)],
)
def test_biases_are_paid_for_from_a_fraction_of_training_on(biases_from, progress, paid):
    net = Wired()
    net.shuffle(2)
    spec = CostSpec(locality=1.5, offset=0.3, biases_from=biases_from)
    cost = connection_cost(net, spec, progress)
    cost.sum().backward()
    for member in range(2):
        expected = brute_force(
            net, member, locality=1.5, offset=0.3, biases=paid, mean=False, factors={}
        )
        assert float(cost[member].detach()) == pytest.approx(expected, rel=1e-12)
    assert net.rec.grad is not None
    for bias in (net.bias, net.out_bias):
        if paid:
            assert torch.equal(bias.grad, 0.3 * bias.sign())
        else:
            assert bias.grad is None


def test_without_locality_the_cost_is_l1():
    net = Wired()
    l1 = sum(p.abs().flatten(1).sum(1) for p in net.parameters())
    assert torch.allclose(connection_cost(net, CostSpec(locality=0.0)), l1)


def test_piecewise_and_ramped_schedules():
    steps = CostSpec(schedule=((0, 1), (0.25, 10), (0.75, 1)))
    assert [steps.factor(t) for t in (0, 0.24, 0.25, 0.7, 0.75, 1)] == [1, 1, 10, 10, 1, 1]
    ramp = CostSpec(schedule=((0, 0.0), (0.5, 1.0)), interpolation="linear")
    assert [ramp.factor(t) for t in (0, 0.25, 0.5, 1)] == pytest.approx([0, 0.5, 1, 1])


def test_strength_is_one_value_per_member():
    net = Wired()
    spec = CostSpec(strength=(1e-3, 2e-3), schedule=((0, 1), (0.5, 3)))
    assert torch.allclose(spec.strengths(net, 0.6), torch.tensor([3e-3, 6e-3], dtype=torch.float64))
    with pytest.raises(InputError, match="3 values for 2 networks"):
        CostSpec(strength=(1.0, 2.0, 3.0)).strengths(net)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"strength": -1.0}, "strength"),
        ({"schedule": ((0.2, 1.0),)}, "start at fraction 0"),
        ({"schedule": ((0.0, 1.0), (0.5, 1.0), (0.5, 2.0))}, "rise"),
        ({"localty": 1.0}, "did you mean 'locality'"),
        ({"form": "exact"}, "form"),
    ],
)
def test_bad_settings_are_one_line(values, message):
    with pytest.raises(InputError, match=message) as raised:
        BIMT(**values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["read", "bias", "free"])
def test_a_locality_of_what_has_no_length_is_refused(name):
    with pytest.raises(InputError, match=f"parameter_locality of '{name}' would change nothing"):
        connection_cost(Wired(), CostSpec(parameter_locality={name: 2.0}))


@pytest.mark.parametrize("key", ["parameter_strength", "parameter_locality"])
def test_unknown_parameters_are_named(key):
    with pytest.raises(InputError, match=f"in {key} 'recc': did you mean 'rec'"):
        connection_cost(Wired(), CostSpec(**{key: {"recc": 1.0}}))
