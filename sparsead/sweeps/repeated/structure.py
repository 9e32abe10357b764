"""Where the derivatives of a loop have entries, from those of one turn.

First derivatives exactly, by powers; second derivatives by what any turn can reach, a superset where a turn may forget
what it was given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from sparsead.kernels.pattern import boolean_product
from sparsead.sweeps.repeated.body import Adjoint, Body

Boolean = scipy.sparse.csr_array


def first(body: Body, count: int, number: int) -> SparsityPattern:
    """Return where the state after so many turns depends on an operand; of a body with one state."""
    turn = body.pattern(body.states[0])
    match body.kinds[number]:
        case "state":
            found = _power(turn, count)
        case "fixed":
            found = boolean_product(_sum_of_powers(turn, count), body.pattern(number))
        case _:
            found = _by_rows(turn, body.pattern(number), count)
    return SparsityPattern.from_scipy(found)


def _by_rows(turn: Boolean, read: Boolean, count: int) -> Boolean:
    """Return the blocks of the rows, side by side: what the last turn reads is not passed on, the one before once."""
    blocks = [read]
    while len(blocks) < count:
        blocks.append(boolean_product(turn, blocks[-1]))
        if _equal(blocks[-1], blocks[-2]):
            blocks += [blocks[-1]] * (count - len(blocks))
    return scipy.sparse.hstack(blocks[::-1], format="csr")


def _power(turn: Boolean, count: int) -> Boolean:
    """Return a power, by squaring; the state itself with no turns."""
    power, total = turn, _identity(turn.shape[0])
    while count:
        if count % 2:
            total = boolean_product(power, total)
        count //= 2
        square = boolean_product(power, power) if count else power
        if count and _equal(square, power):  # and so are all further ones
            return boolean_product(power, total)
        power = square
    return total


def _sum_of_powers(turn: Boolean, count: int) -> Boolean:
    """Return ``1 + turn + ... + turn**(count - 1)``: a power of ``1 + turn``."""
    return _power(turn + _identity(turn.shape[0]), count - 1)


def second(body: Body, count: int, active: Sequence[int], number: int) -> SparsityPattern:
    """Return where the cotangents of `active` operands, one after the other, depend on an operand."""
    reached = {k: _reached(body, count, k) for k in {*active, number}}
    adjoint = body.adjoint((*active, number))
    return SparsityPattern.from_scipy(stacked([_block(body, adjoint, count, row, number, reached) for row in active]))


def stacked(blocks: Sequence[Boolean]) -> Boolean:
    """Return blocks, one below the other."""
    return scipy.sparse.vstack(blocks, format="csr").astype(np.bool_)


def _reached(body: Body, count: int, number: int) -> Boolean:
    """Return where the state before any of the turns may depend on an operand."""
    state = body.states[0]
    anywhere = _sum_of_powers(body.pattern(state), count)
    if number == state:
        return anywhere
    once = boolean_product(anywhere, body.pattern(number))
    return scipy.sparse.hstack([once] * count, format="csr") if body.kinds[number] == "row" else once


def _block(body: Body, adjoint: Adjoint, count: int, row: int, column: int, reached: dict[int, Boolean]) -> Boolean:
    """Return where the cotangent of one operand depends on another one, summed over all turns."""
    state = body.states[0]
    place = {k: j for j, k in enumerate(adjoint.moving)}

    def turn(a: int, b: int) -> Boolean:
        return adjoint.pattern(place[a], b)

    total = boolean_product(boolean_product(reached[row].T.tocsr(), turn(state, state)), reached[column])
    if row != state:
        total = total + boolean_product(_spread(body, count, row, turn(row, state)), reached[column])
    if column != state:
        total = total + boolean_product(
            reached[row].T.tocsr(), _spread(body, count, column, turn(state, column).T.tocsr()).T.tocsr()
        )
    if row != state and column != state:
        total = total + _spread_twice(body, count, row, column, turn(row, column))
    return total.astype(bool)


def _spread(body: Body, count: int, number: int, pattern: Boolean) -> Boolean:
    """Return what an input of one turn depends on as that of the operand: of rows, once for each."""
    return scipy.sparse.vstack([pattern] * count, format="csr") if body.kinds[number] == "row" else pattern


def _spread_twice(body: Body, count: int, row: int, column: int, pattern: Boolean) -> Boolean:
    if body.kinds[row] == "row" and body.kinds[column] == "row":
        return scipy.sparse.kron(scipy.sparse.eye_array(count, dtype=bool), pattern, format="csr")
    across = _spread(body, count, column, pattern.T.tocsr()).T.tocsr() if body.kinds[column] == "row" else pattern
    return _spread(body, count, row, across)


def _identity(n: int) -> Boolean:
    return scipy.sparse.eye_array(n, dtype=np.bool_, format="csr")


def _equal(a: Boolean, b: Boolean) -> bool:
    return SparsityPattern.from_scipy(a) == SparsityPattern.from_scipy(b)
