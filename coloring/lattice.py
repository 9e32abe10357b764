"""Periodic colorings for matrices that come from grids.

In the matrix of a stencil the entries of row ``i`` lie at ``i + d`` for a few offsets ``d``.  On a grid of
``N`` x ``N`` points numbered in rows, ``d`` is a combination ``e_1 + e_2 N`` with small digits ``e``.  Where
all offsets are such combinations of a chain of strides (1, N, N^2, ...; with f interleaved fields 1, f, f N,
...), a vertex with coordinates ``x`` can have color ``(a . x) mod p``; it is enough that the vectors ``e`` of
the stencil are told apart.  For the 7-point stencil in three dimensions ``(x + 2 y + 3 z) mod 7`` is a perfect
tiling with the fewest colors there can be, where greedy colorings need 8 to 13 (Goldfarb and Toint 1984).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import kernels
from .pattern import SparsityPattern

MAX_OFFSETS = 64
MAX_DIGIT = 2
MAX_CHOICES = 200_000  # coefficient vectors looked at for one modulus


def lattice_colorings(A: SparsityPattern, moduli: range) -> Iterator[np.ndarray]:
    """Colorings ``(a . x) mod p`` of the columns of `A` that tell the offsets of a stencil apart.

    Parameters
    ----------
    A : SparsityPattern
        The matrix; nothing is found unless its entries lie on at most 64 diagonals.
    moduli : range
        Numbers of colors ``p`` to try, in order.

    Yields
    ------
    ndarray of int32, shape (n,)
        Candidates, at most one per ``p``: near the boundary of a periodic grid they may be wrong, so the
        caller checks them.
    """
    offsets = kernels.offsets.distinct_offsets(A.indptr, A.indices, MAX_OFFSETS)
    if offsets.size < 2 or offsets.size > MAX_OFFSETS:
        return
    chains = list(_stride_chains(offsets))
    for p in moduli:
        for strides, digits in chains:
            coefficients = _separating_coefficients(digits, p)
            if coefficients is not None:
                yield _periodic_colors(A.shape[1], strides, coefficients, p)
                break


def _stride_chains(offsets: np.ndarray) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Chains of strides, each dividing the next, in which every offset has small digits; and the digits."""
    candidates = sorted({abs(int(d)) for d in offsets} - {0})

    def extend(chain: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        digits = _digits(offsets, chain)
        if digits is not None:
            yield chain, digits
        if len(chain) < 4:
            for stride in candidates:
                if stride > chain[-1] and stride % chain[-1] == 0:
                    yield from extend((*chain, stride))

    yield from extend(candidates[:1])


def _digits(offsets: np.ndarray, strides: tuple[int, ...]) -> np.ndarray | None:
    """Balanced digits of the offsets to these strides, or None if one is large or there is a remainder."""
    digits = np.zeros((offsets.size, len(strides)), np.int64)
    rest = offsets.copy()
    for place in range(len(strides) - 1, -1, -1):
        digits[:, place] = np.rint(rest / strides[place])
        rest = rest - digits[:, place] * strides[place]
    return None if rest.any() or np.abs(digits).max() > MAX_DIGIT else digits


def _separating_coefficients(digits: np.ndarray, p: int) -> np.ndarray | None:
    """Coefficients for which the digit vectors have distinct values modulo `p`, or None."""
    dimensions = digits.shape[1]
    if p < len(digits) or p**dimensions > MAX_CHOICES:
        return None
    choices = np.indices((p,) * dimensions).reshape(dimensions, -1)
    values = np.sort(digits @ choices % p, axis=0)
    distinct = np.flatnonzero((np.diff(values, axis=0) > 0).all(axis=0))
    return choices[:, distinct[0]] if distinct.size else None


def _periodic_colors(n: int, strides: tuple[int, ...], coefficients: np.ndarray, p: int) -> np.ndarray:
    index = np.arange(n)
    total = np.zeros(n, np.int64)
    for place, stride in enumerate(strides):
        coordinate = index // stride
        if place + 1 < len(strides):
            coordinate %= strides[place + 1] // stride
        total += coefficients[place] * coordinate
    return (total % p).astype(np.int32)
