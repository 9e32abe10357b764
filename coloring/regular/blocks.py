"""Columns that come in blocks of equal ones, such as the components of a displacement at one node.

Equal columns conflict with each other and with the same others: b colors for each color of the blocks are a coloring.
"""

from __future__ import annotations

import numpy as np

from ..pattern import SparsityPattern


def block_size(lists: SparsityPattern) -> int:
    """Return the greatest b for which the lines ``k b, ..., k b + b - 1`` of a pattern are equal for every k."""
    lengths = np.diff(lists.indptr)
    if lengths.size < 2 or not lengths[0] or lengths[0] != lengths[1]:
        return 1
    first, second = lists.indices[: 2 * lengths[0]].reshape(2, -1)
    if (first != second).any():  # as in most patterns, of which no more is looked at then
        return 1
    differs = lengths[1:] != lengths[:-1]
    entries = np.flatnonzero(np.repeat(~differs, lengths[:-1]))  # of lines as long as the one that follows
    rows = lists.rows[entries]
    differs[rows[lists.indices[entries] != lists.indices[entries + lengths[rows]]]] = True
    return int(np.gcd.reduce(np.flatnonzero(differs) + 1, initial=lengths.size))


def blocks_of(A: SparsityPattern, size: int) -> SparsityPattern:
    """Return the pattern of every so-many-th row and column, which stand for their blocks."""
    if size == 1:
        return A
    return SparsityPattern.from_scipy(A.to_scipy(np.ones(A.nnz, np.int8))[::size, ::size])
