"""Lower bounds for matrices whose rows are all alike, up to a shift: grids that go around in every direction.

Let H be a few columns, and a(v) the most columns of one color, v among them, that H can have.  A color has the weight
``1 / a(v)`` at each of its columns v: at most 1 in H, and in every shift of H.  On average over all shifts, a color has
thus at most 1 of as many columns as the weights of H add up to, and of columns there is a whole number.  (Albertson and
Collins 1985 have it for equal weights.)

For crosses of 13 points, 5 x 5 columns weigh ``9 + 16 / 2 = 17``: there are no two of one color unless both lie at the
border.  A torus of 256 x 256 has room for 3855 columns of one color, and needs 18 colors.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from ..pattern import SparsityPattern
from .lattice import Lattice, find_lattices

#: Columns of a box, and sets of columns of one color that are looked at in it: some milliseconds.
MOST_IN_BOX, MOST_SETS = 36, 400
#: Entries of a matrix of which all rows are compared.
MOST_ENTRIES = 5_000_000


def torus_bound(A: SparsityPattern, members: str = "columns") -> tuple[int, str]:
    """Lower bound on the colors of the columns, and what proves it; 0 if rows are not alike.

    Parameters
    ----------
    A : SparsityPattern
        The pattern.
    members : str
        What its columns are called.
    """
    n = A.shape[1]
    best, proof = 0, ""
    for lattice in find_lattices(A)[:1]:
        differences = _differences(A, lattice)
        if differences is None:
            continue
        for box in _boxes(lattice.lengths):
            weight = _weight(box, lattice.lengths, differences)
            if weight >= 1:
                most = int(n / weight)
                if -(-n // most) > best:
                    best = -(-n // most)
                    proof = f"boxes of {' x '.join(map(str, box))} {members} leave room for {most} of one color"
    return best, proof


def _differences(A: SparsityPattern, lattice: Lattice) -> set[tuple[int, ...]] | None:
    """Differences between columns of a row, the same in all rows and in both directions; None if there is no torus."""
    m, n = A.shape
    lengths = np.array(lattice.lengths)[:, None]
    if A.nnz > MOST_ENTRIES:
        return None
    if m != n or lattice.strides[0] != 1 or n != lengths.prod() or not A.nnz or (np.diff(A.indptr) != A.nnz // n).any():
        return None
    shifts = np.array(lattice.coordinates(A.indices.astype(np.int64)))
    shifts -= np.array(lattice.coordinates(A.rows.astype(np.int64)))
    codes = np.sort((np.array(lattice.strides) @ (shifts % lengths)).reshape(n, -1), axis=1)
    if (codes != codes[0]).any():
        return None
    first = np.array(lattice.coordinates(codes[0])).T
    return {tuple(((a - b) % lengths[:, 0]).tolist()) for a in first for b in first}


def _boxes(lengths: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sides of boxes that have few columns and leave room around them."""
    sides = [range(1, min(size // 2, MOST_IN_BOX) + 1) for size in lengths]
    return (box for box in product(*sides) if np.prod(box) <= MOST_IN_BOX)


def _weight(box: tuple[int, ...], lengths: tuple[int, ...], differences: set[tuple[int, ...]]) -> Fraction:
    """What the columns of a box weigh together; 0 if there are too many sets of one color to look at."""
    columns = list(product(*map(range, box)))
    free = [
        sum(
            1 << k
            for k, w in enumerate(columns)
            if tuple((a - b) % size for a, b, size in zip(v, w, lengths, strict=True)) not in differences
        )
        for v in columns
    ]
    most = [1] * len(columns)
    stack: list[tuple[tuple[int, ...], int, int]] = [((), (1 << len(columns)) - 1, 0)]  # chosen, may be next, size
    for _ in range(MOST_SETS):
        if not stack:
            return sum((Fraction(1, a) for a in most), Fraction(0))
        chosen, left, size = stack.pop()
        for k in chosen:
            most[k] = max(most[k], size)
        while left:
            k = (left & -left).bit_length() - 1
            left &= left - 1
            stack.append(((*chosen, k), left & free[k], size + 1))
    return Fraction(0)
