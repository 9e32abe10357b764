"""Your own operation: a function that is not traced, with the derivative that you know.

What cannot be written in NumPy (a table, a solver, compiled code) takes part in a traced function as one step. You give
the function, products with its derivative, and where that derivative has entries; every mode, the pattern and the
coloring follow.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import coloring as graph
from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.errors import InputError, user_origin
from sparsead.program.index import IndexArray, Shape
from sparsead.program.nodes import Call, Operation
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import reading, stack_objects

ELEMENTWISE, DENSE = "elementwise", "dense"


def operation(
    function: Callable[..., Any],
    *,
    jvp: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    pattern: Any = ELEMENTWISE,
    shape: Callable[..., Shape] | None = None,
    linear: bool = False,
    name: str | None = None,
) -> Callable[..., Any]:
    """Return `function` as an operation that traced functions may use.

    Parameters
    ----------
    function : callable
        ``function(*operands)`` on plain float64 arrays, returning an array.
    jvp : callable, optional
        ``jvp(operands, tangents)``: the directional derivative, in the shape of the result; both arguments are tuples
        with one array per operand.
    vjp : callable, optional
        ``vjp(operands, cotangent)``: a tuple with the cotangent of each operand. One of `jvp` and `vjp` must be given;
        with both, the one that needs fewer calls is used.
    pattern : str, sparse matrix, or sequence of these
        Where the derivative has entries, one for each operand (or one for all): ``"elementwise"`` (element i of the
        result depends on element i of the operand; shapes are broadcast), ``"dense"``, or a matrix, result size x
        operand size.
    shape : callable, optional
        From the shapes of the operands to the shape of the result; by default the broadcast shape.
    linear : bool
        Say so if the derivative does not depend on the operands: it is then computed once, and Hessians can be taken.
    name : str, optional
        For messages; by default that of the function.

    Returns
    -------
    callable
        On plain arrays it calls `function`; on traced ones it records the call.

    Raises
    ------
    InputError
        If neither `jvp` nor `vjp` is given; at the call, if the pattern does not fit.

    Examples
    --------
    A table, interpolated by a spline:

    >>> import numpy as np
    >>> import sparsead as sad
    >>> from scipy.interpolate import CubicSpline
    >>> from sparsead.extend import operation
    >>> spline = CubicSpline(np.linspace(0, 3, 31), np.sin(np.linspace(0, 3, 31)))
    >>> slope = spline.derivative()
    >>> table = operation(spline, jvp=lambda operands, tangents: slope(operands[0]) * tangents[0])
    >>> jac = sad.jacobian(lambda x: table(x[1:]) * x[:-1], np.ones(3))
    >>> jac(np.array([1.0, 2.0, 3.0])).toarray().round(3)
    array([[ 0.909, -0.416,  0.   ],
           [ 0.   ,  0.141, -1.98 ]])
    """
    from sparsead.derivatives.validation import check_options  # the rest of the house, which this is not part of

    check_options(jvp=jvp, vjp=vjp, shape=shape, linear=linear, name=name)
    if jvp is None and vjp is None:
        raise InputError("an operation needs its derivative: give jvp=, vjp=, or both")

    def apply(*operands: Any) -> Any:
        operands = tuple(stack_objects(o) for o in operands)
        if not any(isinstance(o, TracedArray) and not o.is_constant for o in operands):
            return function(*(np.asarray(o, dtype=np.float64) for o in operands))
        refs = tuple(reading(o) for o in operands)
        shapes = [r.shape for r in refs]
        result = tuple(np.broadcast_shapes(*shapes) if shape is None else shape(*shapes))
        opaque = _Opaque(function, jvp, vjp, shapes, result, pattern, linear, title)
        return TracedArray.of_node(Call(shape=result, operation=opaque, args=refs, origin=user_origin()))

    title: str = name or getattr(function, "__name__", None) or type(function).__name__
    apply.__name__ = title
    apply.__doc__ = function.__doc__
    return apply


class _Opaque(Operation):
    """One call of a user's operation, with shapes known."""

    def __init__(
        self,
        function: Callable[..., Any],
        jvp: Callable[..., Any] | None,
        vjp: Callable[..., Any] | None,
        shapes: Sequence[Shape],
        shape: Shape,
        pattern: Any,
        linear: bool,
        name: str,
    ) -> None:
        self.function, self.jvp, self.vjp = function, jvp, vjp
        self.shapes, self.shape, self.linear, self.name = shapes, shape, linear, name
        given = pattern if isinstance(pattern, (list, tuple)) else [pattern] * len(shapes)
        if len(given) != len(shapes):
            raise InputError(f"{name} has {len(given)} patterns for {len(shapes)} operands")
        self.patterns = [self._pattern(p, s) for p, s in zip(given, shapes, strict=True)]
        self._known: dict[int, np.ndarray] = {}

    @cached_property
    def _products(self) -> list[tuple[graph.ColoringResult, bool]]:
        """How to recover each derivative; not while tracing, when NumPy is not itself."""
        return [self._choose(p) for p in self.patterns]

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Return row and column of each entry of the derivative with respect to an operand."""
        pattern = self.patterns[number]
        return pattern.rows, pattern.indices

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Call the function."""
        out[:] = self._flat(self.function(*self._shaped(operands)), self.shape, "returned")

    def derivative(self, operands: list[np.ndarray], number: int, out: np.ndarray) -> None:
        """Recover the entries from products, one per color; once and for all if the operation is linear."""
        if number not in self._known:
            self._recover(self._shaped(operands), number, out)
            if self.linear:
                self._known[number] = out.copy()
        else:
            out[:] = self._known[number]

    def passes(self, number: int) -> tuple[int, str]:
        """Return how many products give the entries of a derivative, and which."""
        colored, by_column = self._products[number]
        return colored.num_colors, "JVP" if by_column else "VJP"

    def _recover(self, operands: tuple[np.ndarray, ...], number: int, out: np.ndarray) -> None:
        colored, by_column = self._products[number]
        for color, members in enumerate(colored.groups()):
            if by_column:
                product = self._tangent(operands, number, members)
                colored.plan.decompress_block(product.reshape(-1, 1), color, out)
            else:
                product = self._cotangent(operands, number, members)
                colored.plan.decompress_block(product.reshape(1, -1), color, out, side="row")

    def _tangent(self, operands: tuple[np.ndarray, ...], number: int, members: np.ndarray) -> np.ndarray:
        assert self.jvp is not None
        tangents = [np.zeros(s) for s in self.shapes]
        tangents[number].reshape(-1)[members] = 1.0
        return self._flat(self.jvp(operands, tuple(tangents)), self.shape, "returned from jvp")

    def _cotangent(self, operands: tuple[np.ndarray, ...], number: int, members: np.ndarray) -> np.ndarray:
        assert self.vjp is not None
        cotangent = np.zeros(self.shape)
        cotangent.reshape(-1)[members] = 1.0
        cotangents = self.vjp(operands, cotangent)
        cotangents = cotangents if isinstance(cotangents, tuple) else (cotangents,)
        return self._flat(cotangents[number], self.shapes[number], "returned from vjp")

    def _shaped(self, operands: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        return tuple(o.reshape(s).copy() for o, s in zip(operands, self.shapes, strict=True))

    def _flat(self, value: Any, shape: Shape, what: str) -> np.ndarray:
        array = np.asarray(value, dtype=np.float64)
        if array.shape != tuple(shape):
            raise InputError(f"{self.name} {what} an array of shape {array.shape}; expected {tuple(shape)}")
        return array.reshape(-1)

    def _pattern(self, given: Any, operand: Shape) -> SparsityPattern:
        m, n = int(np.prod(self.shape)), int(np.prod(operand))
        if isinstance(given, str) and given == ELEMENTWISE:
            columns = np.broadcast_to(np.arange(n).reshape(operand), self.shape).reshape(-1)
            return SparsityPattern.from_coo(np.arange(m), columns, (m, n))
        if isinstance(given, str) and given == DENSE:
            return SparsityPattern.from_coo(np.repeat(np.arange(m), n), np.tile(np.arange(n), m), (m, n))
        if isinstance(given, str):
            raise InputError(f"unknown pattern {given!r} of {self.name}; expected 'elementwise', 'dense' or a matrix")
        pattern = given if isinstance(given, SparsityPattern) else SparsityPattern.from_scipy(given)
        if pattern.shape != (m, n):
            raise InputError(f"the pattern of {self.name} has shape {pattern.shape}; expected ({m}, {n})")
        return pattern

    def _choose(self, pattern: SparsityPattern) -> tuple[graph.ColoringResult, bool]:
        """Color columns for JVPs or rows for VJPs, whichever is given and takes fewer calls."""
        sides = [(name, p) for name, p in (("column", self.jvp), ("row", self.vjp)) if p is not None]
        found = [(graph.color(pattern, partition=name), name == "column") for name, _ in sides]
        return min(found, key=lambda choice: choice[0].num_colors)


#: What stands on prepared derivatives, or on the rules of NumPy's functions, which stand on this module's neighbours.
_LATER = {
    "composite": "sparsead.ops.stated",
    "elementwise": "sparsead.ops.stated",
    "implicit": "sparsead.derivatives.solution",
    "repeat": "sparsead.derivatives.repeated",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({"operation", *_LATER})
