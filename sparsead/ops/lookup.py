"""Reading a table by value: which entry is read depends on the values, and is constant between jumps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import user_origin
from sparsead.program.index import IndexArray, Shape, nothing
from sparsead.program.nodes import Call, Operation
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import traced

Read = Callable[[np.ndarray], np.ndarray]
NOTHING = nothing()


class Lookup(Operation):
    """An operation whose derivative has no entries, of any order."""

    linear = True

    def __init__(self, read: Read, name: str, content: tuple[Any, ...]) -> None:
        self.read = read
        self.name = name
        self._content = content

    @property
    def content(self) -> tuple[Any, ...]:
        """The table."""
        return self._content

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Read the table."""
        out[:] = self.read(operands[0]).reshape(-1)

    def derivative(self, operands: list[np.ndarray], number: int, out: np.ndarray) -> None:
        """There is nothing to write."""

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """There are no entries."""
        return NOTHING, NOTHING


def look_up(read: Read, x: Any, shape: Shape, name: str, content: tuple[Any, ...]) -> Any:
    """Return ``read(x)``, an array of `shape` that is piecewise constant in `x` (which `read` is given flat).

    The content of the table, arrays and settings, tells this operation from others of its name.
    """
    operation = Lookup(read, name, content)
    return TracedArray.of_node(Call(shape=shape, operation=operation, args=(traced(x).ref,), origin=user_origin()))


def piecewise(x: Any, breaks: np.ndarray, c: np.ndarray, name: str, inside: tuple[float, float] | None = None) -> Any:
    """Evaluate a piecewise polynomial: coefficients are looked up, the polynomial is arithmetic as any other.

    Parameters
    ----------
    x : traced array
        Where.
    breaks : ndarray, shape (m + 1,)
        Ends of the pieces, increasing; the first and the last piece go on outside.
    c : ndarray, shape (k, m, ...)
        Coefficients of powers of the distance from the left end of the piece, the highest first.
    name : str
        For messages.
    inside : tuple of float, optional
        Outside of this interval the value is NaN.

    Returns
    -------
    traced array, shape ``x.shape + c.shape[2:]``
    """
    order, pieces, trailing = c.shape[0], c.shape[1], c.shape[2:]
    columns = np.concatenate([breaks[None, :-1], np.moveaxis(c, 1, -1).reshape(-1, pieces)])
    columns = np.concatenate([columns, np.full((len(columns), 1), np.nan)], axis=1)

    def read(places: np.ndarray) -> np.ndarray:
        piece = np.clip(np.searchsorted(breaks, places, side="right") - 1, 0, pieces - 1)
        if inside is not None:
            piece = np.where((places < inside[0]) | (places > inside[1]), pieces, piece)
        return columns[:, piece]

    table = look_up(read, x, (len(columns), np.size(x)), name, (breaks, c, inside))
    distance = np.ravel(x) - table[0]
    coefficients = table[1:].reshape((order, *trailing, np.size(x)))
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * distance + coefficient
    return np.moveaxis(value, -1, 0).reshape(np.shape(x) + trailing)
