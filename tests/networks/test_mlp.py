"""Perceptrons against the same layers of ``torch.nn``, one member at a time."""

import math

import pytest
import torch
from scipy.stats import ks_2samp, kstest
from torch import nn

from brainrnn.anatomy.geometry import grid, line
from brainrnn.errors import InputError
from brainrnn.networks import MLP, MLPSpec
from brainrnn.wiring_cost.cost import CostSpec, connection_cost

MEMBERS = 3
ACTIVATIONS = {"silu": nn.SiLU, "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
SPEC = MLPSpec(hidden=(7, 6), embedding=3)


def network(n_inputs=5, *, spec=SPEC, **options):
    options = {"members": MEMBERS, "seed": 2, "dtype": torch.float64} | options
    return MLP.on_lines(n_inputs, 4, spec, **options)


def layers_of_torch(net, member):
    """One member as a stack of layers from ``torch.nn``, with its own copy of the weights."""
    layers = [nn.Embedding(net.tokens, net.embedding.shape[2]), nn.Flatten()] if net.tokens else []
    for i in range(net.depth):
        out, source = net.get_parameter(f"fc{i}.weight").shape[1:]
        layers += [nn.Linear(source, out), ACTIVATIONS[net.activation]()]
    stack = nn.Sequential(*layers[:-1]).double()
    with torch.no_grad():
        for own, value in zip(stack.parameters(), net.parameters(), strict=True):
            own.copy_(value[member])
    return stack


def vectors_or_tokens(positions):
    rng = torch.Generator().manual_seed(1)
    if positions is None:
        return network(), torch.randn(9, 5, generator=rng, dtype=torch.float64)
    tokens = torch.randint(5, (9, positions), generator=rng)
    return network(tokens=True, positions=positions), tokens


def gradients(outputs, parameters):
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).view_as(outputs)
    return torch.autograd.grad((weights * outputs.sin()).sum(), list(parameters))


@pytest.mark.parametrize("positions", [None, 1, 2, 3])
@pytest.mark.parametrize("member", range(MEMBERS))
def test_outputs_and_gradients_are_those_of_torchs_layers(member, positions):
    net, inputs = vectors_or_tokens(positions)
    stack = layers_of_torch(net, member)
    expected = stack(inputs)
    slopes = gradients(expected, stack.parameters())
    for outputs in (net(inputs), net.layers(inputs)["out"]):
        assert outputs.shape == (MEMBERS, 9, 4)
        assert torch.allclose(outputs[member], expected, rtol=0, atol=1e-12)
        for ours, theirs in zip(gradients(outputs[member], net.parameters()), slopes, strict=True):
            assert torch.allclose(ours[member], theirs, rtol=0, atol=1e-9)
            assert int(ours.flatten(1).any(1).sum()) == 1  # no other member has a part in it


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    net = network(spec=SPEC.model_copy(update={"activation": activation}))
    stack, inputs = layers_of_torch(net, 1), torch.randn(9, 5, dtype=torch.float64)
    assert isinstance(stack[1], ACTIVATIONS[activation])
    assert torch.allclose(net(inputs)[1], stack(inputs), rtol=0, atol=1e-12)


@pytest.mark.parametrize("positions", [None, 2])
def test_layers_are_what_follows_each_nonlinearity(positions):
    net, inputs = vectors_or_tokens(positions)
    states = [inputs]
    for layer in layers_of_torch(net, 2):
        states.append(layer(states[-1]))
    start = 0 if positions is None else 2  # the embedding, and the concatenation
    expected = [states[i] for i in (start, start + 2, start + 4, start + 5)]
    found = net.layers(inputs)
    assert list(found) == ["input", "h1", "h2", "out"]
    for ours, theirs in zip(found.values(), expected, strict=True):
        assert torch.allclose(ours[2], theirs, rtol=0, atol=1e-12)


def test_vectors_of_another_precision_are_converted():
    net, inputs = network(dtype=torch.float32), torch.randn(9, 5, dtype=torch.float64)
    assert net(inputs).dtype == torch.float32
    assert torch.equal(net(inputs), net(inputs.float()))


def test_initial_weights_are_distributed_as_torchs():
    net = network(30, spec=MLPSpec(hidden=(40,)), members=5)
    for i, (fan_in, n) in enumerate([(30, 40), (40, 4)]):
        for name in ("weight", "bias"):
            value = net.get_parameter(f"fc{i}.{name}").detach()
            bound = 1 / math.sqrt(fan_in)
            assert value.abs().max() <= bound
            assert name == "bias" or value.abs().max() > 0.99 * bound
            torch.manual_seed(0)
            theirs = [getattr(nn.Linear(fan_in, n), name).detach() for _ in range(20)]
            assert ks_2samp(value.flatten(), torch.stack(theirs).flatten()).pvalue > 0.01
    weight = net.get_parameter("fc0.weight").detach()
    assert float(weight.mean()) == pytest.approx(0, abs=0.005)
    assert float(weight.var()) == pytest.approx(1 / 30 / 3, rel=0.05)
    # All folds of a token network make up the fan-in, as in the concatenation.
    folded = network(50, spec=MLPSpec(hidden=(40,), embedding=20), tokens=True, positions=2)
    weight = folded.get_parameter("fc0.weight").detach()
    assert 0.97 < float(weight.abs().max()) * math.sqrt(40) <= 1
    assert kstest(folded.embedding.detach().flatten(), "norm").pvalue > 0.01


@pytest.mark.parametrize("tokens", [False, True])
def test_equal_starts_are_equal_weights_and_the_seed_changes_them(tokens):
    net = network(tokens=tokens, starts=(4, 1, 4))
    counted, other = network(tokens=tokens, members=5), network(tokens=tokens, seed=3, members=5)
    for name, value in net.named_parameters():
        assert torch.equal(value[0], value[2])
        assert not (value[0] == value[1]).any()
        assert torch.equal(value[:2], counted.get_parameter(name)[[4, 1]])
        assert not (counted.get_parameter(name) == other.get_parameter(name)).any()


@pytest.mark.parametrize("positions", [None, 2])
def test_moving_neurons_changes_the_cost_and_no_bit_of_the_output(positions):
    net, inputs = vectors_or_tokens(positions)
    before = net(inputs), gradients(net(inputs), net.parameters()), connection_cost(net, CostSpec())
    for name, population in net.anatomy.populations.items():
        places = torch.stack([torch.randperm(len(population)) for _ in range(MEMBERS)])
        net.anatomy.move(name, places)
        assert torch.equal(net.anatomy.places(name), places)
    assert torch.equal(net(inputs), before[0])
    for one, two in zip(gradients(net(inputs), net.parameters()), before[1], strict=True):
        assert torch.equal(one, two)
    assert (connection_cost(net, CostSpec()) - before[2]).abs().min() > 1e-3


def test_selected_members_are_copies_in_the_order_asked_for():
    net, inputs = vectors_or_tokens(2)
    net.anatomy.move("h1", torch.stack([torch.randperm(7) for _ in range(MEMBERS)]))
    cost = connection_cost(net, CostSpec())
    chosen = net.select(2, 0)
    assert chosen.members == 2
    assert torch.allclose(chosen(inputs), net(inputs)[[2, 0]], rtol=0, atol=1e-14)
    assert torch.equal(chosen.anatomy.places("h1"), net.anatomy.places("h1")[[2, 0]])
    assert torch.equal(connection_cost(chosen, CostSpec()), cost[[2, 0]])
    with torch.no_grad():
        chosen.embedding.zero_()
    chosen.anatomy.move("h1", torch.arange(7).expand(2, -1))
    assert torch.equal(connection_cost(net, CostSpec()), cost)


def test_neurons_of_a_layer_sit_in_the_middle_or_at_the_start_of_their_share():
    for centred, start in ((True, 0.5), (False, 0.0)):
        net = network(spec=MLPSpec(hidden=(7, 6), centred=centred))
        for name, n in (("input", 5), ("h1", 7), ("h2", 6), ("out", 4)):
            expected = [[(j + start) / n] for j in range(n)]
            assert torch.allclose(net.anatomy.positions(name)[1], torch.tensor(expected).double())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP([line(3)]), "2 layers or more, got 1"),
        (lambda: MLP([line(3), grid(2, 2)]), "in 2 dimensions .* in 1"),
        (lambda: MLP([line(3), line(2)], members=0), "members"),
        (lambda: MLP([line(3), line(2)], members=2, starts=(0,)), r"\(2, 2, 3\), got \(1, 2, 3\)"),
        (lambda: network(spec=MLPSpec(hidden=(7, 0))), "hidden: .*, got 0"),
        (lambda: network(0), "at least 1, got 0"),
        (lambda: network(spec=MLPSpec(embedding=0)), "embedding"),
        (lambda: network(spec=MLPSpec(activation="sliu")), "activation: .*'silu'.*got 'sliu'"),
        (lambda: network(spec=MLPSpec(hiden=(7,))), "did you mean 'hidden'"),
    ],
)
def test_impossible_networks_are_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
