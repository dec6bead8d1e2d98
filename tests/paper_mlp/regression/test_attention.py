import numpy as np
import pytest
import torch

from brainrnn.analysis.feedforward.attention import attention_weights
from brainrnn.errors import InputError
from brainrnn.networks import Transformer, TransformerSpec
from paper_mlp.regression.attention import attention_table
from tasks import formulas, in_context
from tests.paper_mlp.regression.handmade import TASK, connect, reader


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
