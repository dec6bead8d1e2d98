import numpy as np
import pytest
from matplotlib.colors import to_rgba

from brainrnn.errors import InputError
from brainrnn.networks import MLP
from brainrnn.plots.style import FAINT, POSITIVE
from paper_mlp.images.features import active_features, count_features, feature_scores, plot_features
from tests.paper_mlp.images.handmade import connect, empty, noise_task, random_net

TASK = noise_task()


def three_features() -> MLP:
    """Neurons 1 and 3 of h1 matter; 2 leads nowhere, and 0 only to a neuron that leads nowhere."""
    net = connect(empty(4, 4), 0, {(1, 0): 1.0, (1, 5): -2.0, (3, 11): 8.0, (2, 4): 4.5, (0, 1): 1})
    connect(net, 1, {(0, 1): 1.0, (0, 3): -1.0, (2, 0): 1.0})
    return connect(net, 2, {(6, 0): 1.0})


def test_scores_are_sums_of_absolute_weights():
    net = random_net(9, members=2)
    weight = net.get_parameter("fc0.weight").detach().numpy()
    scores = feature_scores(net)
    assert scores.dims == ("member", "neuron")
    for m in range(2):
        for i in range(9):
            assert float(scores[m, i]) == pytest.approx(sum(abs(w) for w in weight[m, i]))


def test_features_count_only_on_a_way_to_an_output():
    net = three_features()
    assert active_features(net).tolist() == [[False, True, False, True]]
    assert count_features(net).tolist() == [2]
    both = net.select(0, 0)
    connect(both, 2, {(6, 2): 1.0}, member=1)
    assert count_features(both).tolist() == [2, 3]


def test_features_are_drawn_from_the_strongest():
    pictures, curve = plot_features(three_features(), TASK).axes
    images = [image.get_array() for image in pictures.get_images()]
    assert len(images) == 2
    expected = np.zeros((2, 4, 3))
    expected[0, 3, 2] = 1  # neuron 3, relative to its only weight
    expected[1, 0, 0], expected[1, 1, 2] = 0.5, -1
    np.testing.assert_allclose(images, expected)
    assert [text.get_text() for text in pictures.texts] == ["8.00", "3.00"]
    assert pictures.get_title("left").startswith("2 of 4 features are active.")
    assert len(pictures.collections[0].get_paths()) == 2
    active, dead = curve.collections
    np.testing.assert_allclose(active.get_offsets(), [[1, 8], [3, 3]])
    np.testing.assert_allclose(dead.get_offsets(), [[2, 4.5], [4, 1]])
    assert tuple(active.get_facecolor()[0]) == to_rgba(POSITIVE)
    assert tuple(dead.get_facecolor()[0]) == to_rgba(FAINT)


def test_blue_is_positive():
    (image, *_), _ = (ax.get_images() for ax in plot_features(three_features(), TASK).axes)
    blue, white, red = image.to_rgba(np.array([[1.0, 0.0, -1.0]]))[0, :, :3]
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    np.testing.assert_allclose(white, 1, atol=0.01)


def test_a_score_stands_above_its_own_feature():
    """Also in the second row, and scores do not cover each other."""
    pictures = plot_features(random_net(25), TASK).axes[0]
    frames = [image.get_extent() for image in pictures.get_images()]
    assert len(frames) == 25
    assert len({top for *_, top in frames}) == 3
    for (left, right, _, top), text in zip(frames, pictures.texts, strict=True):
        x, y = text.get_position()
        assert left < x < right
        assert 0 < top - y < 1
        above = [low for *_, low, high in frames if high < top]
        assert y - max(above, default=-1) > 0.5


def test_only_the_chosen_network_is_drawn():
    net = three_features().select(0, 0)
    connect(net, 0, {(3, 11): 2.0}, member=1)
    assert [t.get_text() for t in plot_features(net, TASK, 1).axes[0].texts] == ["3.00", "2.00"]


def test_what_cannot_be_drawn():
    with pytest.raises(InputError, match="nothing to draw"):
        plot_features(empty(4, 4), TASK)
    with pytest.raises(InputError, match="network 1 does not exist"):
        plot_features(three_features(), TASK, 1)
    with pytest.raises(InputError, match="5 x 5 pixels"):
        plot_features(three_features(), noise_task((5, 5)))
    for function in (feature_scores, count_features):
        with pytest.raises(InputError, match="not the pixels"):
            function(MLP.on_lines(12, 10))
