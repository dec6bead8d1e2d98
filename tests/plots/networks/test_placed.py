"""Networks that somebody else wrote: drawn from their places, wiring and weights alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import brainrnn as br
from brainrnn.anatomy.geometry import grid, line, ring, sphere
from brainrnn.errors import InputError
from brainrnn.plots import draw_network, draw_networks
from tests.placed import Wrapped
from tests.plots.networks.test_network import lines, text


def sequential(*sizes):
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes)))


def test_a_sequential_is_drawn_as_the_perceptron_with_its_weights():
    ours = br.MLP.on_lines(4, 3, br.MLPSpec(hidden=(6, 5)))
    model = sequential(4, 6, 5, 3)
    names = [name for name, _ in ours.named_parameters()]
    for name, value in zip(names, model.parameters(), strict=True):
        ours.get_parameter(name).data[0] = value.data
    sites = {name: p.sites for name, p in ours.anatomy.populations.items()}
    wiring = {f"{i}.weight": f"{b} {a}" for i, (a, b) in enumerate(pairwise(sites))}
    theirs = Wrapped(model, sites, wiring)
    moved = torch.tensor([[3, 1, 0, 2, 5, 4]])
    for net in (ours, theirs):
        net.anatomy.move("h1", moved)
    options = {"input_labels": "abcd", "numbers": ["h1"], "stage_names": {"out": "top"}}
    (one,), (other,) = (draw_network(net, **options).axes for net in (ours, theirs))
    np.testing.assert_array_equal(lines(one).get_segments(), lines(other).get_segments())
    np.testing.assert_array_equal(lines(one).get_linewidth(), lines(other).get_linewidth())
    assert [t.get_text() for t in one.texts] == [t.get_text() for t in other.texts]


def test_what_has_no_place_is_left_out():
    """Inputs and outputs without places, and a population that nothing is wired to."""
    net = Wrapped(
        sequential(7, 5, 4, 2),
        {"h1": line(5), "h2": line(4), "spare": line(9)},
        {"0.weight": "h1 _", "0.bias": "h1", "1.weight": "h2 h1", "2.weight": "_ h2"},
    )
    (ax,) = draw_network(net, stage_names={"h1": "first", "h2": "second"}).axes
    assert text(ax, "first").xy[1] == 0
    assert text(ax, "second").xy[1] == 1
    segments = lines(ax).get_segments()
    weight = net.wired("1.weight")[0].detach().abs()
    assert len(segments) == int((weight >= 0.003 * weight.max()).sum())
    with pytest.raises(InputError, match="unknown stage 'spare'"):
        draw_network(net, numbers=["spare"])
    with pytest.raises(InputError, match="choose 0 to 0"):
        draw_network(net, 1)


def test_half_precision_and_frozen_weights():
    model = sequential(3, 3).to(torch.bfloat16).requires_grad_(False)
    net = Wrapped(model, {"a": ring(3), "b": ring(3)}, {"0.weight": "b a"})
    draw_networks([("half", net, 0)]).draw_without_rendering()


@pytest.mark.parametrize(
    ("sites", "wiring", "message"),
    [
        ({"h1": line(5), "h2": line(4)}, {"0.weight": "h1 _", "1.weight": "_ h1"}, "feed-forward"),
        ({"h1": sphere(5), "h2": sphere(4)}, {"1.weight": "h2 h1"}, "got sites in 3 dimensions"),
        ({"h": line(5)}, {"square.weight": "h h"}, "feed-forward"),
    ],
    ids=["no two populations joined", "in space", "recurrent"],
)
def test_one_line_where_a_graph_has_no_meaning(sites, wiring, message):
    model = sequential(7, 5, 4)
    model.square = nn.Linear(5, 5)
    with pytest.raises(InputError, match=message) as raised:
        draw_network(Wrapped(model, sites, wiring))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("sites", [line(1), grid(1, 1), ring(1)], ids=["line", "plane", "ring"])
@pytest.mark.filterwarnings("error")
def test_layers_of_one_neuron(sites):
    net = Wrapped(sequential(1, 1), {"a": sites, "b": sites}, {"0.weight": "b a"})
    figure = draw_network(net, input_labels="x", output_labels="y", title="one")
    figure.draw_without_rendering()
    assert len(lines(figure.axes[0]).get_segments()) == 1
