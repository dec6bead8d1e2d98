"""The matrices of S4, linear functions of them, and effective dimensions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

import brainrnn as br
from paper_mlp.groups.characters import (
    IRREDUCIBLE,
    characters,
    irreducible_shares,
    irreducible_table,
)
from paper_mlp.groups.permutations import parity
from paper_mlp.groups.representations import (
    PAPER_DIMENSIONS,
    TETRAHEDRA,
    effective_dimension,
    linear_residual,
    representation,
    representation_table,
)
from tasks.groups import groups, symmetric_group
from tests.paper_mlp.groups.constructed import together, trees

S4 = symmetric_group(4)
TASK = groups(["permutation"], seed=1)
MATRICES = representation(TETRAHEDRA["C"])
RNG = np.random.default_rng(0)
EMBEDDINGS = arrays(np.float64, (3, 24), elements=st.floats(-5, 5)).filter(
    lambda e: np.square(e).sum() > 1e-3
)


@pytest.mark.parametrize("name", TETRAHEDRA)
def test_matrices_permute_the_vertices_and_multiply_as_permutations(name):
    vertices = TETRAHEDRA[name]
    matrices = representation(vertices)
    number = {tuple(g): i for i, g in enumerate(S4)}
    for i, g in enumerate(S4):
        np.testing.assert_allclose(matrices[i] @ vertices.T, vertices[g].T, atol=1e-12)
        for j, h in enumerate(S4):
            after = number[tuple(g[h[k]] for k in range(4))]
            np.testing.assert_allclose(matrices[i] @ matrices[j], matrices[after], atol=1e-12)
    assert len({m.round(6).tobytes() for m in matrices + 0.0}) == 24  # faithful


def test_the_regular_tetrahedron_is_rotated_and_reflected():
    np.testing.assert_allclose(
        MATRICES @ MATRICES.swapaxes(1, 2), np.tile(np.eye(3), (24, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(MATRICES), parity(S4))


@pytest.mark.parametrize("name", TETRAHEDRA)
def test_effective_dimensions_of_the_papers_tetrahedra(name):
    dimension = effective_dimension(representation(TETRAHEDRA[name]))
    assert round(dimension) == PAPER_DIMENSIONS[name]


def test_not_a_tetrahedron():
    for vertices in (
        np.eye(4, 3),
        np.zeros((4, 3)),
        TETRAHEDRA["A"][:3],
        TETRAHEDRA["A"] * [1, 1, 0],
    ):
        with pytest.raises(br.InputError, match="tetrahedron"):
            representation(vertices)


def test_linear_functions_of_the_matrices_leave_no_residual():
    basis = RNG.standard_normal((3, 3))
    changed = basis @ MATRICES @ np.linalg.inv(basis)
    embedding = RNG.standard_normal((9, 9)) @ changed.reshape(24, 9).T
    assert linear_residual(embedding) == pytest.approx(0, abs=1e-20)
    for other in (parity(S4)[None], np.ones((1, 24)), (MATRICES[:, 0] * parity(S4)[:, None]).T):
        assert linear_residual(other) == pytest.approx(1)
    mixed = np.concatenate(
        [embedding[:1] / np.linalg.norm(embedding[0]), np.ones((1, 24)) / 24**0.5]
    )
    assert linear_residual(mixed) == pytest.approx(1 / 2)


def test_the_papers_minimisation_finds_the_same_residual():
    """Minimise Eq. A6 over V and A, from random starts, as the paper does."""
    embedding = RNG.standard_normal((2, 24)) + 2 * MATRICES.reshape(24, 9).T[:2]
    size = np.square(embedding).sum()

    def loss(x):
        v, a = x[:18].reshape(2, 9), x[18:].reshape(3, 3)
        vec = (a @ MATRICES @ np.linalg.inv(a)).reshape(24, 9)
        return np.square(embedding - v @ vec.T).sum() / size

    expected = linear_residual(embedding)
    assert 0.1 < expected < 0.9
    for seed in range(3):
        start = np.random.default_rng(seed)
        x = np.concatenate([start.standard_normal(18), start.standard_normal(9)])
        assert minimize(loss, x).fun == pytest.approx(expected, abs=1e-6)


def test_residuals_of_nothing_and_of_another_group():
    assert np.isnan(linear_residual(np.zeros((2, 24))))
    assert np.isnan(linear_residual(np.empty((0, 24))))
    for shape in ((24,), (9, 23)):
        with pytest.raises(br.InputError, match="24 elements"):
            linear_residual(np.ones(shape))
        with pytest.raises(br.InputError, match="24 elements"):
            irreducible_shares(np.ones(shape))


def test_effective_dimension_counts_equal_entries():
    assert effective_dimension(np.array([[3, 0, -3], [0, 3, 0]])) == pytest.approx(3)
    # Entropy of (1/2, 1/4, 1/4) is 3/2 bits.
    assert effective_dimension(np.array([-2, 1, 1])) == pytest.approx(2**1.5)
    assert np.isnan(effective_dimension(np.zeros(3)))


@given(EMBEDDINGS, st.floats(0.01, 100))
def test_effective_dimension_depends_on_relative_sizes_alone(values, factor):
    dimension = effective_dimension(values)
    assert 1 - 1e-9 <= dimension <= np.count_nonzero(values) + 1e-9
    shuffled = -factor * RNG.permutation(values.ravel())
    assert effective_dimension(shuffled) == pytest.approx(dimension)


def test_characters_are_the_irreducible_ones():
    table = characters()
    vectors = np.array(list(table.values()))
    np.testing.assert_allclose(vectors @ vectors.T / 24, np.eye(5), atol=1e-12)
    assert [vector[0] for vector in vectors] == list(IRREDUCIBLE.values())
    np.testing.assert_allclose(
        table["tetrahedron"], np.trace(MATRICES, axis1=1, axis2=2), atol=1e-12
    )
    cube = MATRICES * parity(S4)[:, None, None]
    np.testing.assert_allclose(table["cube"], np.trace(cube, axis1=1, axis2=2), atol=1e-12)
    # Elements of one cycle type are conjugate.
    for character in vectors:
        for g in S4:
            conjugate = [np.argsort(h)[g[h]] for h in S4]
            traces = {round(character[np.flatnonzero((c == S4).all(1))[0]]) for c in conjugate}
            assert len(traces) == 1


@given(EMBEDDINGS)
def test_shares_are_complete_and_hold_the_residual(embedding):
    shares = irreducible_shares(embedding)
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) >= 0
    assert 1 - shares["tetrahedron"] == pytest.approx(linear_residual(embedding), abs=1e-9)


def test_shares_of_known_functions():
    sign = parity(S4)
    for name, values in {
        "trivial": np.ones((1, 24)),
        "sign": sign[None],
        "tetrahedron": MATRICES.reshape(24, 9).T,
        "cube": MATRICES.reshape(24, 9).T * sign,
    }.items():
        assert irreducible_shares(values)[name] == pytest.approx(1)
    # Where 1 goes splits into the mean, 1/4, and the tetrahedron, 3/4.
    shares = irreducible_shares((S4[:, 0] == 2).astype(float)[None])
    assert shares["trivial"] == pytest.approx(1 / 4)
    assert shares["tetrahedron"] == pytest.approx(3 / 4)
    assert np.isnan(irreducible_shares(np.zeros((1, 24)))["sign"])


def test_tables_of_networks():
    columns = MATRICES.reshape(24, 9).T * RNG.uniform(1, 3, (9, 1))
    useless = RNG.standard_normal((1, 24))
    faithful = trees(np.concatenate([columns, useless]), [list(range(9)), []])
    signed = trees(np.concatenate([columns, useless]), [[0], [9]])
    net = together(faithful, signed)
    table = representation_table(net, TASK)
    assert table.dimensions.tolist() == [9, 2]
    np.testing.assert_allclose(
        table.linear_residual, [0, linear_residual(np.stack([columns[0], useless[0]]))], atol=1e-12
    )
    assert table.effective_dimension[0] == pytest.approx(effective_dimension(columns))
    scaled = columns / np.abs(columns).max(1, keepdims=True)
    assert table.normalised_dimension[0] == pytest.approx(effective_dimension(scaled))
    assert table.normalised_dimension[0] != pytest.approx(table.effective_dimension[0], rel=1e-3)
    both = np.stack([columns[0] / np.abs(columns[0]).max(), useless[0] / np.abs(useless[0]).max()])
    assert table.normalised_residual[1] == pytest.approx(linear_residual(both))
    shares = irreducible_table(net, TASK)
    assert list(shares.columns) == list(IRREDUCIBLE)
    np.testing.assert_allclose(1 - shares.tetrahedron, table.linear_residual, atol=1e-12)
    for function in (representation_table, irreducible_table):
        with pytest.raises(br.InputError, match="4 objects"):
            function(net, groups(["permutation"], size=3))
