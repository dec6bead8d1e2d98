import numpy as np
import pytest
import torch

from brainrnn.errors import InputError
from paper_mlp.circuits.predictions import plot_intermediate, plot_predictions
from tasks import formulas, two_moons
from tests.paper_mlp.circuits.handmade import (
    connect,
    distance_network,
    empty,
    evaluate,
    products_network,
    squares_network,
)

PRODUCTS, SHARING, COMPOSITION = (
    formulas([name]) for name in ("products", "sharing", "composition")
)


def points(ax):
    (scatter,) = ax.collections
    return np.asarray(scatter.get_offsets()).T


def test_predictions_stand_against_the_truth():
    net, x = products_network(), PRODUCTS.test.inputs
    axes = plot_predictions(net, PRODUCTS).axes
    assert [ax.get_title() for ax in axes] == list(PRODUCTS.output_labels)
    for i, ax in enumerate(axes):
        true, predicted = PRODUCTS.test.targets[:, i].numpy(), evaluate(net, x)[:, i]
        np.testing.assert_allclose(points(ax), [true, predicted], atol=1e-9)
        rmse = np.sqrt(np.mean((true - predicted) ** 2))
        assert ax.texts[0].get_text() == f"RMSE {rmse:.2g}"
        diagonal = ax.lines[0].get_xydata()
        np.testing.assert_array_equal(diagonal[:, 0], diagonal[:, 1])


def test_only_the_chosen_network_is_drawn():
    net = products_network().select(0, 0)
    with torch.no_grad():
        net.get_parameter("fc2.bias")[1] += 5
    one, two = (points(plot_predictions(net, PRODUCTS, m).axes[0])[1] for m in (0, 1))
    np.testing.assert_allclose(two - one, 5)


def test_squares_stand_against_the_neurons_that_hold_them():
    net = squares_network()
    net.anatomy.move("h2", torch.tensor([[3, 0, 2, 1]]))
    axes = plot_intermediate(net, SHARING).axes
    activity = net.layers(SHARING.test.inputs)["h2"][0].detach().numpy()
    assert [ax.get_ylabel() for ax in axes] == [f"neuron {n} of A2" for n in (4, 1, 3)]
    for i, ax in enumerate(axes):
        square = SHARING.test.inputs[:, i].numpy() ** 2
        np.testing.assert_allclose(points(ax), [square, activity[:, i]])
        r = np.corrcoef(square, activity[:, i])[0, 1]
        assert ax.texts[0].get_text() == f"r = {r:.3f}"


def test_an_inactive_neuron_is_not_shown_however_well_it_follows():
    net = connect(squares_network(), 1, {(3, 0): 3.2, (3, 1): 3.2}, {3: 8.0})
    connect(net, 1, {(0, 0): 2.9, (0, 1): 3.4})
    assert plot_intermediate(net, SHARING).axes[0].get_ylabel() == "neuron 1 of A2"


def test_the_root_passes_through_a_network_that_takes_it():
    net = distance_network()
    quantity, root = plot_intermediate(net, COMPOSITION).axes
    i = COMPOSITION.test.targets[:, 0].numpy() ** 2
    activity = net.layers(COMPOSITION.test.inputs)["h3"][0, :, 1].detach().numpy()
    np.testing.assert_allclose(points(quantity), [i, activity])
    output = evaluate(net, COMPOSITION.test.inputs)[:, 0]
    np.testing.assert_allclose(points(root), [activity, output], atol=1e-9)
    assert root.get_xlabel() == quantity.get_ylabel() == "neuron 2 of A3"
    # A neuron nearly linear in I: where the line is at an activation, the target nearly is.
    line = root.lines[0].get_xydata()
    near = np.interp(activity, *line.T) - np.sqrt(i)
    assert np.abs(near[i > 0.3]).max() < 0.1


def test_a_silent_network_can_be_drawn():
    _, root = plot_intermediate(empty(4, 2, 2, 2, 2, 1), COMPOSITION).axes
    assert len(root.lines) == 0


def test_what_cannot_be_drawn():
    with pytest.raises(InputError, match="draw its decision boundary instead"):
        plot_predictions(empty(2, 3, 2), two_moons())
    with pytest.raises(InputError, match="no intermediate quantities"):
        plot_intermediate(products_network(), PRODUCTS)
    for plot in (plot_predictions, plot_intermediate):
        with pytest.raises(InputError, match="network 1 does not exist"):
            plot(squares_network(), SHARING, 1)
