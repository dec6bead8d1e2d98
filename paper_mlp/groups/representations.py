"""Is the embedding of S4 a matrix representation in disguise, and how sparse is it?

"Seeing Is Believing", Appendix E.2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Num
from scipy.stats import entropy

from brainrnn import MLP, InputError
from paper_mlp.groups.embedding import active_embedding, normalised
from paper_mlp.groups.permutations import check_s4
from tasks.fixed import FixedTask
from tasks.groups import symmetric_group

TETRAHEDRA = {  # vertices, (vertex, coordinate); Eq. A9
    "A": np.array([[1, 0, 0], [-1, 1, 0], [0, -1, 1], [0, 0, -1]], dtype=float),
    "B": np.array([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], dtype=float),
    "C": np.array([[1, -1, -1], [-1, -1, -1], [0, 2, -1], [0, 0, 3]])
    / np.sqrt([1, 3, 6]),  # the regular one
}
PAPER_DIMENSIONS = {"A": 120, "B": 108, "C": 153, "embedding": 80}  # effective ones


def representation(vertices: Num[np.ndarray, "vertex space"]) -> Float[np.ndarray, "element 3 3"]:
    """Matrices of all permutations of a tetrahedron's vertices, (permutation, 3, 3).

    The matrix M of g is the one linear map with M v_i = v_g(i); it exists because the vertices sum
    to zero and any three of them are a basis. Permutations are in the order of
    :func:`tasks.groups.symmetric_group`, and M of "a after b" is M(a) M(b).

    Parameters
    ----------
    vertices : (4, 3) array

    Raises
    ------
    InputError
        If the vertices do not sum to zero or lie in a plane.
    """
    vertices = np.asarray(vertices, dtype=float)
    centred = vertices.shape == (4, 3) and np.allclose(vertices.sum(0), 0)
    if not centred or np.linalg.matrix_rank(vertices) < 3:
        raise InputError(
            f"the four vertices of a tetrahedron must span three dimensions and sum to zero, got "
            f"{vertices.tolist()}"
        )
    # M V^T = V[g]^T, on the first three vertices.
    images = vertices[symmetric_group(4)][:, :3]
    return np.linalg.solve(vertices[:3], images).swapaxes(1, 2)


def linear_residual(embedding: Num[np.ndarray, ...]) -> float:
    r"""Share of an embedding that no linear function of the representation explains.

    .. math::
        L = \min_{V, A} \frac{\sum_g |E_g - V \mathrm{vec}(A R_g A^{-1})|^2}{\sum_g |E_g|^2}

    (Eqs. A5 and A6), with R the 3 x 3 matrices of S4. The paper minimises L numerically over both
    V and A. But vec(A R A^-1) = (A \otimes A^-T) vec(R), and V can undo any invertible matrix that
    acts on vec(R): A changes nothing, the problem is linear least squares, and its minimum exact.

    Parameters
    ----------
    embedding : (dimension, 24) array
        Permutations in the order of :func:`tasks.groups.symmetric_group`.

    Returns
    -------
    float
        0 if the embedding is a linear transformation of the representation, 1 if it has nothing in
        common with it; NaN if it is zero or has no dimension.

    Raises
    ------
    InputError
        If there are not 24 elements.
    """
    check_elements(embedding)
    size = np.square(embedding).sum()
    if not size > 0:
        return float("nan")
    matrices = representation(TETRAHEDRA["C"]).reshape(24, 9)
    fitted = matrices @ np.linalg.lstsq(matrices, embedding.T, rcond=None)[0]
    return float(np.square(embedding.T - fitted).sum() / size)


def effective_dimension(values: Num[np.ndarray, ...]) -> float:
    r"""Effective number of entries that are not zero.

    .. math:: D = 2^S, \quad S = -\sum_i q_i \log_2 q_i, \quad q = |R| / \sum |R|

    over all entries of R (Eqs. A7 and A8): N if N entries are equally large and the others zero.
    NaN if all are zero.
    """
    size = np.abs(values).ravel()
    return float(2 ** entropy(size, base=2)) if size.sum() > 0 else float("nan")


def representation_table(net: MLP, task: FixedTask) -> pd.DataFrame:
    """Compare every network's embedding of S4 with its matrix representation.

    Parameters
    ----------
    net : MLP
    task : FixedTask
        Composition of permutations of 4 objects.

    Returns
    -------
    DataFrame
        Indexed by member: ``dimensions``, the number of active input neurons;
        ``linear_residual`` L and ``effective_dimension`` D of their embeddings as they are, and,
        as ``normalised_residual`` and ``normalised_dimension``, divided by each neuron's largest
        size. The paper does not say which it means; it gives .56 and 80.

    Raises
    ------
    InputError
        If the task is another.
    """
    check_s4(task)
    rows = []
    for member in range(net.members):
        embedding = active_embedding(net, member)
        plain, scaled = embedding.values, normalised(embedding).values
        rows.append(
            {
                "dimensions": len(plain),
                "linear_residual": linear_residual(plain),
                "effective_dimension": effective_dimension(plain),
                "normalised_residual": linear_residual(scaled),
                "normalised_dimension": effective_dimension(scaled),
            }
        )
    return pd.DataFrame(rows, index=pd.RangeIndex(net.members, name="member"))


def check_elements(embedding: Num[np.ndarray, ...]) -> None:
    """Check that an embedding is one of S4.

    Raises
    ------
    InputError
        If it is not (dimension, 24).
    """
    if embedding.ndim != 2 or embedding.shape[1] != 24:
        raise InputError(
            f"expected an embedding of the 24 elements of S4, (dimension, 24), got the shape "
            f"{embedding.shape}"
        )
