"""In which irreducible representations of S4 an embedding lies.

Every function on a finite group is a sum of matrix entries of its irreducible representations.
Appendix E.2 of "Seeing Is Believing" compares with one of them and takes L = .56 for a sign of
non-linearity; exactly this share may as well lie, linearly, in the other four.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Num

from brainrnn import MLP
from paper_mlp.groups.embedding import active_embedding
from paper_mlp.groups.permutations import check_s4, parity
from paper_mlp.groups.representations import check_elements
from tasks.fixed import FixedTask
from tasks.groups import symmetric_group, symmetric_table

IRREDUCIBLE = {  # name -> dimension
    "trivial": 1,
    "sign": 1,
    "plane": 2,  # how S4 permutes the three ways to split four objects into two pairs
    "tetrahedron": 3,  # its rotations and reflections: the paper's representation
    "cube": 3,  # its rotations: those matrices times the sign
}


def characters() -> dict[str, Num[np.ndarray, " element"]]:
    """Trace of every element of S4 in each irreducible representation, (element,).

    Elements are in the order of :func:`tasks.groups.symmetric_group`.
    """
    group = symmetric_group(4)
    sign = parity(group)
    fixed = (group == np.arange(4)).sum(1)
    # Objects 0 to 3 split into pairs in three ways; the smaller of the two sums tells which.
    splits = np.array([[[0, 1], [2, 3]], [[0, 2], [1, 3]], [[0, 3], [1, 2]]])
    kept = (group[:, splits].sum(3).min(2) == splits.sum(2).min(1)).sum(1)
    traces = (np.ones(24), sign, kept - 1, fixed - 1, (fixed - 1) * sign)
    return dict(zip(IRREDUCIBLE, traces, strict=True))


def irreducible_shares(embedding: Num[np.ndarray, ...]) -> dict[str, float]:
    r"""Share of an embedding's sum of squares in each irreducible representation; they sum to 1.

    The part in a representation of dimension d and character chi is

    .. math:: E^\chi_g = \frac{d}{24} \sum_h \chi(g^{-1} h) E_h .

    Parameters
    ----------
    embedding : (dimension, 24) array
        Permutations in the order of :func:`tasks.groups.symmetric_group`.

    Returns
    -------
    dict of str to float
        By the names of ``IRREDUCIBLE``; NaN if the embedding is zero or has no dimension. 1 minus
        that of ``tetrahedron`` is :func:`paper_mlp.groups.representations.linear_residual`.

    Raises
    ------
    InputError
        If there are not 24 elements.
    """
    check_elements(embedding)
    table = symmetric_table(4)
    inverse = (table == 0).argmax(1)  # the identity comes first
    size = np.square(embedding).sum()
    shares = {}
    for name, character in characters().items():
        part = embedding @ character[table[inverse]] * (IRREDUCIBLE[name] / 24)
        shares[name] = float(np.square(part).sum() / size) if size > 0 else float("nan")
    return shares


def irreducible_table(net: MLP, task: FixedTask) -> pd.DataFrame:
    """Shares of every network's active embedding in the irreducible representations of S4.

    Returns
    -------
    DataFrame
        Indexed by member, a column for each representation.

    Raises
    ------
    InputError
        If the task is not the composition of permutations of 4 objects.
    """
    check_s4(task)
    embeddings = (active_embedding(net, member).values for member in range(net.members))
    return pd.DataFrame(
        [irreducible_shares(embedding) for embedding in embeddings],
        index=pd.RangeIndex(net.members, name="member"),
    )
