"""Transformers against ``torch.nn.MultiheadAttention``, and swaps that change no bit."""

import itertools

import pytest
import torch
from torch import nn

from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from brainrnn.wiring_cost.cost import CostSpec, connection_cost
from brainrnn.wiring_cost.swap import SwapSpec, relocate
from tests.wiring_cost.test_swap import exchanged_cost

MEMBERS = 3


def network(heads=2, *, layers=2, width=8, **options):
    spec = TransformerSpec(heads=heads, layers=layers, width=width)
    options = {"members": MEMBERS, "seed": 4, "dtype": torch.float64} | options
    return Transformer(3, 2, spec, **options)


def sequences(n=6, length=5):
    return torch.randn(n, length, 3, generator=torch.Generator().manual_seed(1)).double()


def by_torch(weights, spec, inputs):
    """One member, in terms of torch.nn; the stages beside the output."""

    def linear(name, x):
        return nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    states = {"input": inputs, "stream0": linear("embed", inputs)}
    stream = states["stream0"]
    later = torch.ones(inputs.shape[1], inputs.shape[1], dtype=torch.bool).triu(1)
    for layer in range(1, spec.layers + 1):
        rows = stream.transpose(0, 1)  # (position, example, neuron)
        heads, _ = nn.functional.multi_head_attention_forward(
            *(rows, rows, rows),
            embed_dim_to_check=spec.width,
            num_heads=spec.heads,
            in_proj_weight=weights[f"qkv{layer}.weight"],
            in_proj_bias=weights[f"qkv{layer}.bias"],
            bias_k=None,
            bias_v=None,
            add_zero_attn=False,
            dropout_p=0.0,
            out_proj_weight=torch.eye(spec.width).double(),
            out_proj_bias=None,
            need_weights=False,
            attn_mask=later,
        )
        heads = heads.transpose(0, 1)
        stream = stream + linear(f"proj{layer}", heads)
        hidden = nn.GELU("tanh")(linear(f"up{layer}", stream))
        states |= {f"heads{layer}": heads, f"stream{2 * layer - 1}": stream}
        stream = stream + linear(f"down{layer}", hidden)
        states |= {f"mlp{layer}": hidden, f"stream{2 * layer}": stream}
    return states | {"out": linear("unembed", stream)}


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_every_stage_and_every_gradient_are_those_of_torch(heads):
    net, inputs = network(heads), sequences()
    ours = net.layers(inputs)
    slopes = torch.autograd.grad(ours["out"].sin().sum(), list(net.parameters()))
    for member in range(MEMBERS):
        weights = {
            n: p[member].detach().clone().requires_grad_() for n, p in net.named_parameters()
        }
        expected = by_torch(weights, net.spec, inputs)
        assert expected.keys() == ours.keys()
        for name, state in expected.items():
            assert torch.allclose(ours[name][member], state, rtol=0, atol=1e-12)
        theirs = torch.autograd.grad(expected["out"].sin().sum(), list(weights.values()))
        for one, two in zip(slopes, theirs, strict=True):
            assert torch.allclose(one[member], two, rtol=0, atol=1e-12)
    assert torch.equal(net(inputs), ours["out"])


def test_the_gradients_of_attention_pass_the_numerical_check():
    net, inputs = network(2, layers=1, width=4, members=1), sequences(2, 3)
    qkv = net.get_parameter("qkv1.weight").detach().clone().requires_grad_()

    def output(weight):
        return torch.func.functional_call(net, {"qkv1.weight": weight}, (inputs,))

    assert torch.autograd.gradcheck(output, qkv)


def test_outputs_do_not_depend_on_what_comes_later():
    net, inputs = network(), sequences()
    changed = inputs.clone()
    changed[:, 3:] += 1
    before, after = net(inputs), net(changed)
    assert torch.equal(before[:, :, :3], after[:, :, :3])
    assert not torch.isclose(before[:, :, 3:], after[:, :, 3:]).any()


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("algorithm", ["greedy", "descent", "assignment"])
def test_swaps_change_no_bit_and_lower_the_cost(heads, algorithm):
    net, inputs = network(heads), sequences()
    spec = CostSpec(reduction="mean")
    before, cost = net(inputs), connection_cost(net, spec)
    moves = relocate(net, spec, SwapSpec(algorithm=algorithm))
    assert bool((moves > 0).all())
    assert bool((connection_cost(net, spec) < cost).all())
    assert torch.equal(net(inputs), before)
    moved = {
        name: bool((net.anatomy.places(name) != torch.arange(len(population))).any())
        for name, population in net.anatomy.populations.items()
    }
    assert moved["stream"]
    assert moved["heads1"] or moved["heads2"]
    assert moved["mlp1"]


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_weights_written_in_the_order_of_the_sites_are_the_same_function(heads):
    # As if weights had been moved, with heads that move whole: what the swaps stand for.
    net, inputs = network(heads), sequences()
    generator = torch.Generator().manual_seed(heads)
    for name, population in net.anatomy.populations.items():
        size = len(population) // population.blocks
        places = [
            torch.cat(
                [
                    slot * size + torch.randperm(size, generator=generator)
                    for slot in torch.randperm(population.blocks, generator=generator)
                ]
            )
            for _ in range(MEMBERS)
        ]
        net.anatomy.move(name, torch.stack(places))
    moved = network(heads)
    with torch.no_grad():
        for name, value in moved.named_parameters():
            value.copy_(net.anatomy.in_site_order(name, net.get_parameter(name)))
    spec = CostSpec(reduction="mean")
    assert torch.allclose(connection_cost(moved, spec), connection_cost(net, spec))
    for member in range(MEMBERS):
        source = net.anatomy.places("input")[member].argsort()
        out = net.anatomy.places("out")[member].argsort()
        expected = net(inputs)[member][..., out]
        assert torch.allclose(moved(inputs[..., source])[member], expected, rtol=0, atol=1e-12)


def test_the_stream_moves_as_one_and_every_map_pays():
    net, spec = network(1, members=1), CostSpec(locality=2.0, offset=0.5, reduction="mean")
    by_map = {
        name: (
            value.abs() * (2 * net.anatomy.length(name) + 0.5 if value.ndim == 3 else 0.5)
        ).mean()
        for name, value in net.named_parameters()
    }
    assert len(by_map) == 2 * (2 + 2 * 4)
    assert torch.allclose(connection_cost(net, spec), sum(by_map.values()))
    lengths = {name: net.anatomy.length(name).clone() for name in by_map if name.endswith("weight")}
    net.anatomy.move("stream", torch.arange(8).flip(0)[None])
    changed = [n for n, length in lengths.items() if not torch.equal(net.anatomy.length(n), length)]
    assert changed == list(lengths)


def test_neurons_stay_in_their_head_and_whole_heads_move():
    net = network(4, members=1)
    with torch.no_grad():
        for value in net.parameters():
            value.zero_()
        # Neuron 0 of head 0 wants to be beside the stream's last neuron, and so does head 0.
        net.get_parameter("qkv1.weight")[0, 0, 7] = 1.0
    spec = CostSpec()
    relocate(net, spec, SwapSpec(algorithm="descent"))
    places = net.anatomy.places("heads1")[0]
    head = places[:2] // 2
    assert head[0] == head[1]
    stream = net.anatomy.positions("stream")[0, 7]
    best = min(
        abs(float(net.anatomy.populations["heads1"].sites[site] - stream)) for site in range(8)
    )
    assert abs(float(net.anatomy.positions("heads1")[0, 0] - stream)) == pytest.approx(best)
    for i, j in itertools.combinations(range(2), 2):
        assert (exchanged_cost(net, spec, "heads1", i, j) >= connection_cost(net, spec)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TransformerSpec(width=10, heads=4), "width must be a multiple of heads"),
        (lambda: TransformerSpec(layers=0), "layers"),
        (lambda: TransformerSpec(head=2), "did you mean 'heads'"),
        (lambda: network()(torch.zeros(2, 5, 4)), r"length 3, .*\(2, 5, 4\)"),
        (lambda: network()(torch.zeros(2, 3)), r"\(2, 3\)"),
    ],
)
def test_impossible_networks_and_inputs_are_refused_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)
