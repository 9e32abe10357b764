"""Results that NumPy computes and whose derivative is stated afterwards: solutions, inverses, factors.

A *carrier* is such a result without a derivative. An expression follows that has its value, and the right derivative
while carriers are held fixed: with the carriers X, the solution, and W, the inverse, ``X + W @ (b - A @ X)`` is the
solution, and its derivative is ``W @ (db - dA @ X)``. Where second derivatives are wanted, the expression is
*restated*: its result then replaces the carrier in all coefficients, which so become differentiable themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.errors import user_origin
from sparsead.program.index import IndexArray, Shape, narrowed, nothing
from sparsead.program.nodes import Call, Operation
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import reading, traced
from sparsead.tracing.order import second_order_wanted

NONE = nothing()


class Carrier(Operation):
    """An operation without a derivative of its own: expressions that hold its result fixed state it."""

    carrier = True

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        shapes: Sequence[Shape],
        shape: Shape,
        elementwise: bool,
        holds: bool = False,
    ) -> None:
        self.name, self.function, self.shapes, self.shape = name, function, shapes, shape
        self.elementwise, self.holds = elementwise, holds

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Return no entries."""
        return NONE, NONE

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Call the function."""
        arrays = (o.reshape(s) for o, s in zip(operands, self.shapes, strict=True))
        out[:] = np.asarray(self.function(*arrays), dtype=np.float64).reshape(-1)

    def derivative(self, operands: list[np.ndarray], number: int, out: np.ndarray) -> None:
        """Write nothing: there are no entries."""


class Restated(Operation):
    """The identity in its first operand: its result stands for carriers in all coefficients.

    It has the other operands only so that they are computed: coefficients read them.
    """

    linear = True

    def __init__(self, size: int, restates: tuple[Carrier, ...]) -> None:
        self.name = " and ".join(c.name for c in restates)
        self.size, self.restates = size, restates

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Return the diagonal; nothing for the other operands."""
        places = NONE if number else narrowed(np.arange(self.size))
        return places, places

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Copy."""
        out[:] = operands[0]

    def derivative(self, operands: list[np.ndarray], number: int, out: np.ndarray) -> None:
        """Write ones."""
        out[:] = 1.0


class Linear(Operation):
    """Multiplication of vectors by a constant matrix, which a function does in a better way: a solver.

    The function takes one vector, or several as columns; the operand has `count` of them, one after another.
    """

    linear = True

    def __init__(self, name: str, function: Callable[[np.ndarray], Any], matrix: np.ndarray, count: int) -> None:
        self.name, self.function, self.size, self.count = name, function, len(matrix), count
        rows, columns = np.nonzero(matrix)
        first = self.size * np.arange(count)[:, None]
        self.rows, self.columns = narrowed((first + rows).reshape(-1)), narrowed((first + columns).reshape(-1))
        self.entries = matrix[rows, columns]

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Return rows and columns of the entries."""
        return self.rows, self.columns

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Call the function."""
        vectors = operands[0].reshape(self.count, self.size)
        found = self.function(vectors[0] if self.count == 1 else vectors.T)
        out[:] = np.asarray(found).T.reshape(-1)

    def derivative(self, operands: list[np.ndarray], number: int, out: np.ndarray) -> None:
        """Write the matrix."""
        out.reshape(self.count, -1)[:] = self.entries


def carried(
    name: str,
    function: Callable[..., Any],
    shape: Shape,
    *operands: Any,
    elementwise: bool = False,
    holds: bool = False,
) -> tuple[TracedArray, Carrier]:
    """Return what a function of arrays returns, of a known shape, without a derivative; and the operation."""
    refs = tuple(reading(traced(o)) for o in operands)
    carrier = Carrier(name, function, [r.shape for r in refs], shape, elementwise, holds)
    return TracedArray.of_node(Call(shape=shape, operation=carrier, args=refs, origin=user_origin())), carrier


def held(array: Any) -> TracedArray:
    """Return the values of a traced array, held fixed."""
    return carried("a value held fixed", np.array, np.shape(array), array, elementwise=True, holds=True)[0]


def restated(value: Any, *carriers: Carrier, along: Sequence[Any] = ()) -> TracedArray:
    """Return an expression that states the derivative of carriers whose value it has; see the head of the module.

    `along` are other restated arrays, which stand for carriers in the expression.
    """
    value = traced(value)
    if not second_order_wanted():
        return value
    args = tuple(reading(traced(o)) for o in (value, *along))
    operation = Restated(value.size, carriers)
    return TracedArray.of_node(Call(shape=value.shape, operation=operation, args=args, origin=user_origin()))
