"""Small linear systems: elimination with pivots in scalar code, and derivatives that know the result.

Pivots are chosen by selection, so the code has no branches. The elimination itself is never differentiated: the
derivative of an inverse B of A is ``-B dA B``, of a solution x of A x = b it is ``B (db - dA x)``, of log |det A| the
transpose of B, and of det A its cofactors, which are polynomials, so that they exist where A is singular as well.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sparsead.ops.arrays import apply
from sparsead.program.scalar import Expr, Op

Rows = list[list[Any]]  # of entries, each an array over the stack: all are read alike, so none needs a buffer


def inverse(a: Any) -> Any:
    """Return the inverses of stacked n x n matrices."""
    matrix = _rows(a)
    n, values = len(matrix), _solution(_beside(matrix, _unit(len(matrix))))
    operands = [*_flat(values), *_flat(matrix)]
    return _stacked([[apply(_inverse_entry(n, i, j), operands) for j in range(n)] for i in range(n)])


def solution(a: Any, b: Any) -> Any:
    """Return the solutions of stacked systems, (..., n, n) with right-hand sides (..., n, k).

    Few columns are written out beside the matrix; many are points of the stack, so that code does not grow with them.
    """
    if np.shape(b)[-1] > np.shape(a)[-1]:
        each = solution(a[..., None, :, :], np.swapaxes(b, -1, -2)[..., None])
        return np.swapaxes(each[..., 0], -1, -2)
    matrix, right = _rows(a), _rows(b)
    n, k = len(right), len(right[0])
    values = _solution(_beside(matrix, _unit(n), right))
    known = [*_flat([row[:n] for row in values]), *_flat(matrix)]
    columns = [[*(values[i][n + j] for i in range(n)), *(right[i][j] for i in range(n))] for j in range(k)]
    return _stacked([[apply(_solution_entry(n, i), [*columns[j], *known]) for j in range(k)] for i in range(n)])


def determinant(a: Any) -> Any:
    """Return the determinants of stacked n x n matrices: the product of the pivots."""
    matrix = _rows(a)
    rows, value = _eliminated(matrix)
    for i, row in enumerate(rows):
        value = value * row[i]
    return apply(_determinant(len(matrix)), [value, *_flat(matrix)])


def sign_and_logarithm(a: Any) -> tuple[Any, Any]:
    """Return sign and logarithm of the determinants of stacked n x n matrices, from the pivots one by one."""
    matrix = _rows(a)
    n, values, (rows, sign) = len(matrix), _solution(_beside(matrix, _unit(len(matrix)))), _eliminated(matrix)
    logarithm: Any = 0.0
    for i, row in enumerate(rows):
        sign, logarithm = sign * np.sign(row[i]), logarithm + np.log(np.abs(row[i]))
    return sign, apply(_logarithm(n), [logarithm, *_flat(values), *_flat(matrix)])


# -- elimination --------------------------------------------------------------------------------------------------
def _rows(a: Any) -> Rows:
    """Return the entries of stacked matrices."""
    m, n = np.shape(a)[-2:]
    return [[a[..., i, j] for j in range(n)] for i in range(m)]


def _unit(n: int) -> Rows:
    return [[float(i == j) for j in range(n)] for i in range(n)]


def _beside(*parts: Rows) -> Rows:
    """Return matrices side by side."""
    return [[entry for part in rows for entry in part] for rows in zip(*parts, strict=True)]


def _flat(rows: Rows) -> list[Any]:
    return [entry for row in rows for entry in row]


def _stacked(rows: Rows) -> Any:
    """Return an array of matrices, given by their entries."""
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _eliminated(rows: Rows) -> tuple[Rows, Any]:
    """Return rows in triangular form, by partial pivoting, and the sign of the permutation."""
    rows, sign = [list(row) for row in rows], 1.0
    for k, i in itertools.combinations(range(len(rows)), 2):
        if i == k + 1:
            sign = _bring_up_largest(rows, k, sign)
        upper, lower = rows[k], rows[i]
        factor = np.where(np.equal(upper[k], 0.0), 0.0, lower[k] / upper[k])  # below a pivot of zero are only zeros
        rows[i] = [*lower[: k + 1], *(lower[j] - factor * upper[j] for j in range(k + 1, len(lower)))]
    return rows, sign


def _bring_up_largest(rows: Rows, k: int, sign: Any) -> Any:
    """Swap rows until the largest of column k is in row k; return the sign that the swaps leave."""
    for i in range(k + 1, len(rows)):
        upper, lower = rows[k], rows[i]
        larger = np.abs(lower[k]) > np.abs(upper[k])
        rows[k] = [np.where(larger, b, a) for a, b in zip(upper, lower, strict=True)]
        rows[i] = [np.where(larger, a, b) for a, b in zip(upper, lower, strict=True)]
        sign = np.where(larger, -sign, sign)
    return sign


def _solution(rows: Rows) -> Rows:
    """Solve for the columns beside a square matrix: elimination, then substitution from the last row upwards."""
    rows, _ = _eliminated(rows)
    n = len(rows)
    found: Rows = [[] for _ in rows]
    for i in reversed(range(n)):
        for column, rest in enumerate(rows[i][n:]):
            for j in range(i + 1, n):
                rest = rest - rows[i][j] * found[j][column]
            found[i].append(rest / rows[i][i])
    return found


# -- operations that return what was computed, with its derivative ------------------------------------------------
def _known(name: str, number: int, partials: Sequence[Callable[..., Any] | None]) -> Op:
    """Return the operation that returns one of its operands, with given partial derivatives."""
    return Op(name, lambda *operands: operands[number], f"{{{number}}}", tuple(partials))


def _once(make: Callable[..., Op]) -> Callable[..., Op]:
    """Let a function make each operation once, and say of it how another process can make it (a decorator)."""

    @functools.cache
    @functools.wraps(make)
    def op(*sizes: int) -> Op:
        return replace(make(*sizes), maker=(op, sizes))

    return op


@_once
def _inverse_entry(n: int, i: int, j: int) -> Op:
    """Entry (i, j) of an inverse, of its n^2 entries and those of the matrix."""

    def partial(k: int, m: int) -> Callable[..., Expr]:
        return lambda *operands: -(_inverse_entry(n, i, k)(*operands) * _inverse_entry(n, m, j)(*operands))

    partials = [partial(k, m) for k in range(n) for m in range(n)]
    return _known(f"inverse{n}_{i}_{j}", n * i + j, [*[None] * n**2, *partials])


@_once
def _solution_entry(n: int, i: int) -> Op:
    """Element i of a solution: of all of it, the right-hand side, the entries of the inverse and of the matrix."""

    def by_right_side(k: int) -> Callable[..., Expr]:
        return lambda *operands: _inverse_entry(n, i, k)(*operands[2 * n :])

    def by_matrix(k: int, m: int) -> Callable[..., Expr]:
        return lambda *operands: -(_inverse_entry(n, i, k)(*operands[2 * n :]) * _solution_entry(n, m)(*operands))

    rights = [by_right_side(k) for k in range(n)]
    entries = [by_matrix(k, m) for k in range(n) for m in range(n)]
    return _known(f"solution{n}_{i}", i, [*[None] * n, *rights, *[None] * n**2, *entries])


@_once
def _determinant(n: int) -> Op:
    """A determinant: of its value and the entries of the matrix."""

    def cofactor(i: int, j: int) -> Callable[..., Any]:
        return lambda value, *entries: value.pool.constant((-1.0) ** (i + j)) * _polynomial(_minor(n, entries, i, j))

    return _known(f"determinant{n}", 0, [None, *(cofactor(i, j) for i in range(n) for j in range(n))])


@_once
def _logarithm(n: int) -> Op:
    """The logarithm of a determinant: of its value, the entries of the inverse and of the matrix."""

    def partial(i: int, j: int) -> Callable[..., Expr]:
        return lambda value, *operands: _inverse_entry(n, j, i)(*operands)

    return _known(f"logdet{n}", 0, [*[None] * (1 + n**2), *(partial(i, j) for i in range(n) for j in range(n))])


def _minor(n: int, entries: Sequence[Expr], i: int, j: int) -> list[Expr]:
    """Return the entries of a matrix without row i and column j."""
    return [entries[n * k + m] for k in range(n) for m in range(n) if k != i and m != j]


def _polynomial(entries: Sequence[Any]) -> Any:
    """Return a determinant by expansion along the first row."""
    n = round(len(entries) ** 0.5)
    if n == 0:
        return 1.0
    total: Any = 0.0
    for j in range(n):
        total = total + (-1.0) ** j * entries[j] * _polynomial(_minor(n, entries, 0, j))
    return total
