import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from paper_mlp.regression.attention import attention_table, attention_weights
from tasks import formulas, in_context
from tests.paper_mlp.regression.handmade import TASK, connect, reader


@settings(max_examples=15)
@given(heads=st.sampled_from([1, 2, 4]), tokens=st.integers(1, 5), seed=st.integers(0, 99))
@torch.no_grad()
def test_values_weighted_so_are_what_the_heads_do(heads, tokens, seed):
    spec = TransformerSpec(width=8, heads=heads)
    net = Transformer(3, 3, spec, members=2, seed=seed, dtype=torch.float64)
    for layer in (1, 2):
        net.get_parameter(f"qkv{layer}.weight").mul_(4)  # attention far from even
    inputs = torch.randn(6, tokens, 3, dtype=torch.float64)
    states = net.layers(inputs)
    for layer, weights in attention_weights(net, inputs).items():
        assert weights.shape == (2, 6, heads, tokens, tokens)
        stream = states[f"stream{2 * layer - 2}"]
        value = stream @ net.get_parameter(f"qkv{layer}.weight")[:, None, 16:].mT
        value = value + net.get_parameter(f"qkv{layer}.bias")[:, None, None, 16:]
        attended = [
            weights[:, :, head] @ value[..., head * 8 // heads : (head + 1) * 8 // heads]
            for head in range(heads)
        ]
        torch.testing.assert_close(torch.cat(attended, -1), states[f"heads{layer}"])
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6, heads, tokens).double())
        assert (weights.triu(1) == 0).all()


def test_without_queries_attention_is_even():
    table = attention_table(reader(), TASK)
    assert table.columns.tolist() == ["layer", "head", "from", "to", "weight", "sd"]
    one = table[table.layer == 1].set_index(["from", "to"])
    expected = {("x_1", "x_1"): 1, ("x_1", "y_1"): 1 / 2, ("y_1", "y_1"): 1 / 2}
    expected |= {(name, "x"): 1 / 3 for name in ("x_1", "y_1", "x")}
    assert one.weight.to_dict() == pytest.approx(expected)
    assert table.sd.to_numpy() == pytest.approx(np.zeros(12))


def test_heads_are_numbered_by_their_place():
    spec = TransformerSpec(width=6, heads=3, layers=1)
    net = Transformer(2, 2, spec, members=2, dtype=torch.float64)
    before = attention_table(net, TASK, 1)
    heads = torch.tensor([4, 5, 0, 1, 2, 3])
    net.anatomy.move("heads1", torch.stack([torch.arange(6), heads]))
    after = attention_table(net, TASK, 1)
    weights = attention_weights(net, TASK.test.inputs)[1][1].detach().numpy()
    for number, neurons in ((3, 0), (1, 1), (2, 2)):
        of_head = after[after["head"] == number]
        source, to = (
            of_head["from"].map(["x_1", "y_1", "x"].index),
            of_head["to"].map(["x_1", "y_1", "x"].index),
        )
        np.testing.assert_allclose(of_head.weight, weights.mean(0)[neurons][to, source])
        np.testing.assert_allclose(of_head.sd, weights.std(0)[neurons][to, source])
        same = before[before["head"] == neurons + 1]
        np.testing.assert_array_equal(of_head.weight, same.weight)


def test_a_query_for_y_finds_it():
    net = reader()
    with torch.no_grad():
        net.get_parameter("qkv1.bias")[:, 0] = 1
    connect(net, "qkv1", {(4, 0): 1000})  # the key of neuron 0 is y
    task = in_context(examples=100, w_low=1.0, w_high=2.0)
    table = attention_table(net, task).set_index(["layer", "from", "to"])
    assert table.weight[1, "y_1", "x"] == pytest.approx(1)
    assert table.weight[2, "y_1", "x"] == pytest.approx(1 / 3)


def test_what_has_no_attention():
    with pytest.raises(InputError, match="network 3 does not exist"):
        attention_table(reader(), TASK, 3)
    with pytest.raises(InputError, match="in-context regression"):
        attention_table(reader(), formulas(["products"]))
