"""Wiring read from PyTorch's own layers."""

import pytest
import torch
from torch import nn

import brainrnn as br
from brainrnn.anatomy import infer_wiring


def patterns(model):
    return infer_wiring(model).patterns


def test_sequential_layers_follow_each_other():
    model = nn.Sequential(
        nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Sequential(nn.Linear(8, 6)), nn.Linear(6, 2)
    )
    assert patterns(model) == {
        "0.weight": "h1 input",
        "1.weight": None,
        "1.bias": None,
        "3.0.weight": "h2 h1",
        "4.weight": "output h2",
    }


def test_recurrent_layers():
    assert patterns(nn.LSTM(3, 8, num_layers=2)) == {
        "weight_ih_l0": "(4 hidden1) input",
        "weight_hh_l0": "(4 hidden1) hidden1",
        "weight_ih_l1": "(4 hidden2) hidden1",
        "weight_hh_l1": "(4 hidden2) hidden2",
    }
    assert patterns(nn.LSTM(3, 8, proj_size=5))["weight_hh_l0"] == "(4 hidden) proj"
    both = patterns(nn.GRU(3, 8, bidirectional=True))
    assert both["weight_hh_l0_reverse"] == "(3 hidden_reverse) hidden_reverse"


def test_convolutions_and_what_flattens_them():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 8, 3, groups=8),  # every channel by itself
        nn.Conv2d(8, 4, 1),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 9, 5),
    )
    assert {k: v for k, v in patterns(model).items() if v} == {
        "0.weight": "h1 input _ _",
        "2.weight": "h1 _ _ _",
        "3.weight": "h2 h1 _ _",
        "6.weight": "output (h2 9)",
    }


def test_transformers_share_one_stream():
    layer = nn.TransformerEncoderLayer(8, 2, 6)
    model = nn.Sequential(nn.Linear(3, 8), nn.TransformerEncoder(layer, 2), nn.Linear(8, 2))
    inferred = infer_wiring(model)
    assert {k: v for k, v in inferred.patterns.items() if v} == {
        "0.weight": "h1 input",
        "1.layers.0.self_attn.in_proj_weight": "(3 heads2) h1",
        "1.layers.0.self_attn.out_proj.weight": "h1 heads2",
        "1.layers.0.linear1.weight": "mlp2 h1",
        "1.layers.0.linear2.weight": "h1 mlp2",
        "1.layers.1.self_attn.in_proj_weight": "(3 heads3) h1",
        "1.layers.1.self_attn.out_proj.weight": "h1 heads3",
        "1.layers.1.linear1.weight": "mlp3 h1",
        "1.layers.1.linear2.weight": "h1 mlp3",
        "2.weight": "output h1",
    }
    assert inferred.blocks == {"heads2": 2, "heads3": 2}


def test_attention_to_something_else():
    model = nn.MultiheadAttention(8, 2, kdim=5, vdim=3)
    found = {k: v for k, v in patterns(model).items() if v}
    assert found == {
        "q_proj_weight": "heads1 stream",
        "k_proj_weight": "heads1 _",
        "v_proj_weight": "heads1 _",
        "in_proj_bias": "(3 heads1)",
        "out_proj.weight": "stream heads1",
    }
    assert len(br.place(model, br.line).weights()) == len(found) + 1  # and the bias of out_proj


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(4, 8), nn.PReLU(), nn.Linear(8, 2)),  # a slope is no connection
        nn.Sequential(nn.Linear(4, 8), nn.GLU(), nn.Linear(4, 2)),
        nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.Conv2d(8, 2, 3)),
        nn.LSTM(3, 8, num_layers=2, bidirectional=True),
        nn.Transformer(8, 2, 1, 1, 8),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_it(model):
    with pytest.raises(br.InputError, match="cannot infer how '") as error:
        br.place(model, br.line)
    assert "\n" not in str(error.value)


def test_one_array_of_sites_is_for_every_hidden_population():
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.Linear(6, 2))
    placed = br.place(model, br.grid(2, 3))
    assert list(placed.anatomy.populations) == ["h1", "h2"]
    assert torch.equal(placed.anatomy.populations["h2"].sites, br.grid(2, 3))
    everyone = br.place(model, {n: br.line(k) for n, k in (("input", 4), ("h1", 6), ("h2", 6))})
    assert list(everyone.anatomy.populations) == ["input", "h1", "h2"]


class First(nn.Module):
    """Outputs of a recurrent layer without its last states."""

    def forward(self, results):
        return results[0]


def test_flattening_steps_and_flattening_channels_differ():
    """Behind Flatten, the entries of a channel are neighbours, those of a step's neuron are not."""
    words = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 2))
    assert patterns(words)["2.weight"] == "output (3 h1)"
    words[0].weight.data = torch.arange(4.0).expand(10, 4)
    placed = br.place(words, br.line)
    inputs = words[:2](torch.zeros(1, 3, dtype=torch.long))[0]
    axis = placed.anatomy.wiring["2.weight"][1]
    assert torch.equal(inputs, torch.arange(len(inputs)) % 4)
    assert axis.folds == 3


def test_recurrent_layers_one_after_another_are_populations_of_their_own():
    model = nn.Sequential(nn.GRU(4, 4), First(), nn.GRU(4, 4), First(), nn.Linear(4, 2))
    found = patterns(model)
    assert found["2.weight_ih_l0"] == "(3 hidden2) hidden1"
    assert found["4.weight"] == "output hidden2"


def test_a_compiled_layer_is_read():
    model = nn.Sequential(nn.Linear(4, 6), torch.compile(nn.Linear(6, 6)), nn.Linear(6, 2))
    assert patterns(model)["1._orig_mod.weight"] == "h2 h1"


def test_a_layer_that_is_used_twice_and_one_that_reads_two_directions_are_refused():
    layer = nn.Linear(6, 6)
    twice = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), layer, nn.Tanh(), layer, nn.Linear(6, 2))
    both = nn.Sequential(nn.GRU(4, 6, bidirectional=True), First(), nn.Linear(12, 2))
    for model, name in ((twice, "4.weight"), (both, "2.weight")):
        with pytest.raises(br.InputError, match=f"cannot infer how '{name}'"):
            infer_wiring(model)
    activation = nn.Tanh()
    infer_wiring(nn.Sequential(nn.Linear(4, 6), activation, nn.Linear(6, 2), activation))
