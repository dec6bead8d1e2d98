"""Permutations, their sign, and embeddings that hold it."""

from itertools import permutations

import numpy as np
import pytest
from matplotlib.colors import to_hex

import brainrnn as br
from brainrnn.plots.style import NEGATIVE, POSITIVE
from paper_mlp.groups.permutations import (
    active_dimensions,
    check_s4,
    elements,
    has_sign_neuron,
    matrix_dimensions,
    neuron_panels,
    one_line,
    parity,
    plot_embedding,
    sign_correlation,
)
from tasks.groups import groups, symmetric_group
from tests.paper_mlp.groups.constructed import together, trees

TASK = groups(["permutation"], seed=1)
S4 = symmetric_group(4)
SIGN = parity(S4).astype(float)
RNG = np.random.default_rng(0)


def test_elements_of_a_task():
    for n in (2, 3, 4, 5):
        task = groups(["permutation"], size=n)
        assert elements(task).tolist() == [list(g) for g in permutations(range(n))]
    with pytest.raises(br.InputError, match="expected a network of permutations"):
        elements(groups(["addition"], size=24))
    with pytest.raises(br.InputError, match="4 objects, got 3"):
        check_s4(groups(["permutation"], size=3))


def test_one_line_notation():
    assert one_line(S4)[:3] == ["1234", "1243", "1324"]
    assert one_line(np.array([[3, 0, 1, 2]])) == ["4123"]  # 1 goes to 4, 2 to 1


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_parity_is_the_determinant(n):
    group = symmetric_group(n)
    np.testing.assert_array_equal(parity(group), np.linalg.det(np.eye(n)[group]).round())


def with_sign(sign: np.ndarray) -> br.MLP:
    """Three neurons: noise, the one given, and the exact sign, which leads nowhere."""
    return trees(np.array([RNG.standard_normal(24), sign, SIGN]), [[0, 1], []])


def test_a_sign_neuron_holds_the_sign_and_is_active():
    flipped = SIGN.copy()
    flipped[5] *= -1
    noisy = SIGN + 0.2 * RNG.standard_normal(24)
    lifted = 0.3 - 2 * SIGN
    net = together(*(with_sign(e) for e in (SIGN, lifted, noisy, flipped, RNG.random(24))))
    assert has_sign_neuron(net, TASK).tolist() == [True, True, True, False, False]
    np.testing.assert_allclose(sign_correlation(net, TASK, 1)[1], -1)
    noise, given = net.embedding[2, :, :2].detach().T.numpy()
    np.testing.assert_allclose(
        sign_correlation(net, TASK, 2),
        [np.corrcoef(noise, SIGN)[0, 1], np.corrcoef(given, SIGN)[0, 1]],
    )


def test_a_constant_neuron_has_no_sign():
    net = trees(np.ones((2, 24)), [[0, 1]])
    assert sign_correlation(net, TASK).values.tolist() == [0, 0]
    assert not has_sign_neuron(net, TASK).any()


def test_active_dimensions_of_a_matrix():
    values = RNG.standard_normal((12, 24))
    nine, ten = (trees(values, [list(range(n)), []]) for n in (9, 10))
    net = together(nine, ten)
    assert active_dimensions(net).tolist() == [9, 10]
    assert matrix_dimensions(net, TASK).tolist() == [True, False]
    four = trees(RNG.standard_normal((5, 6)), [[0, 1, 3, 4]])
    assert matrix_dimensions(four, groups(["permutation"], size=3)).tolist() == [True]
    with pytest.raises(br.InputError, match="tokens"):
        active_dimensions(br.MLP.on_lines(3, 2))


def test_the_picture_has_a_panel_for_each_active_neuron():
    values = RNG.standard_normal((6, 24))
    values[4] = SIGN
    net = trees(values, [[1, 3, 4, 5]])
    figure = plot_embedding(net, TASK)
    assert [ax.get_title("left") for ax in figure.axes] == [f"neuron {n}" for n in (2, 4, 5, 6)]
    assert [ax.get_title("right") for ax in figure.axes] == ["", "", "sign, r = 1.00", ""]
    for ax, row in zip(figure.axes, values[[1, 3, 4, 5]], strict=True):
        bars = [bar for bar in ax.patches if bar.get_width() < 1]
        np.testing.assert_allclose([bar.get_height() for bar in bars], row / np.abs(row).max())
        colours = [to_hex(bar.get_facecolor()) for bar in bars]
        assert colours == [POSITIVE if e > 0 else NEGATIVE for e in row]
        odd = [bar.get_x() + 0.5 for bar in ax.patches if bar.get_width() == 1]
        assert odd == np.flatnonzero(SIGN < 0).tolist()
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == one_line(S4)


def test_nothing_active_nothing_to_draw():
    net = trees(RNG.standard_normal((3, 24)), [[], []])
    with pytest.raises(br.InputError, match="nothing to draw"):
        plot_embedding(net, TASK)
    from paper_mlp.groups.embedding import active_embedding

    with pytest.raises(br.InputError, match="nothing to draw"):
        neuron_panels(active_embedding(net), (1.0, 1.0), 3)
