"""Nothing: the derivative along a way that a choice has closed, told apart from a zero that was computed.

What was not chosen does not count, even times infinity; a computed zero does (``cbrt(x)**3`` has slope 1 at 0).
Within a kernel, conditions say which is which. Between kernels the number itself does: nothing is -0.0, which added to
anything leaves it as it is, and a computed zero is +0.0. Only programs in which a factor may be infinite on the one
side of an intermediate array, and closed on the other, take that care.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from sparsead.kernels.kernel import Buffer, Load, reachable
from sparsead.kernels.linear import LinearCall, LinearKernel
from sparsead.program.scalar import OPS, Expr, Op, having

NOTHING = -0.0

# Not in the table of operations: NumPy has no name for it, and nobody traces it.
is_nothing = Op(
    "is_nothing",
    lambda x: np.equal(x, 0.0) & np.signbit(x),
    "({0} == 0.0 and copysign(1.0, {0}) < 0.0)",
    (None,),
    boolean=True,
    jumps=True,
)


def absorbing(coefficient: str, factor: str) -> str:
    """Return the code of a product that is nothing where one of its factors is."""
    empty = " or ".join(is_nothing.code.format(name) for name in (coefficient, factor))
    return f"(-0.0 if {empty} else {coefficient} * {factor} + 0.0)"


def product(coefficient: Expr, factor: Expr) -> Expr:
    """Return the expression of such a product."""
    pool = coefficient.pool
    empty = OPS["logical_or"](is_nothing(coefficient), is_nothing(factor))
    return OPS["select"](empty, pool.constant(NOTHING), computed(coefficient * factor))


def computed(value: Expr) -> Expr:
    """Return a value in which a zero is a computed one."""
    return value.pool.apply(OPS["add"], (value, value.pool.constant(0.0)))


def is_absorbing(kernels: Iterable[LinearKernel | LinearCall], work: Iterable[Buffer]) -> bool:
    """Tell whether infinite factors and closed ways may meet at an intermediate array."""
    kernels = list(kernels)
    if not any(_may_close(e) for k in kernels for e in reachable(t.coefficient for t in k.terms)):
        return False
    closed, infinite = _below(kernels, _may_be_closed), _below(kernels, _may_be_infinite)
    above = [k.transposed() for k in reversed(kernels)]
    closed_above, infinite_above = _below(above, _may_be_closed), _below(above, _may_be_infinite)
    return any((b in closed and b in infinite_above) or (b in infinite and b in closed_above) for b in work)


def may_absorb(kernels: Iterable[LinearKernel | LinearCall]) -> bool:
    """Tell whether infinite factors and closed ways may meet where kernels are run again and again."""
    coefficients = [[t.coefficient for t in k.terms] for k in kernels]
    return any(map(_may_be_closed, coefficients)) and any(map(_may_be_infinite, coefficients))


def may_close(kernels: Iterable[LinearKernel | LinearCall]) -> bool:
    """Tell whether a coefficient may be that of a closed way."""
    return any(_may_be_closed([t.coefficient for t in k.terms]) for k in kernels)


def _below(kernels: Iterable[LinearKernel | LinearCall], which: Callable[[list[Expr]], set[int]]) -> set[Buffer]:
    """Return the buffers to whose tangents a term of some kind contributes, at once or through others."""
    found: set[Buffer] = set()

    for kernel in kernels:
        if isinstance(kernel, LinearCall):
            found.update(target for target, source in kernel.pairs if source in found)
        of_kind = which([t.coefficient for t in kernel.terms])
        found.update(t.target for t in kernel.terms if t.coefficient.serial in of_kind or t.source in found)
    return found


def is_finite(leaf: Expr) -> bool:
    """Tell whether a literal, or all that is read of a constant array, is finite; what varies is taken to be."""
    if leaf.is_constant:
        return math.isfinite(leaf.value)
    value = leaf.value.buffer.value if isinstance(leaf.value, Load) else None
    return value is None or bool(np.isfinite(value).all())


def _keeps_finite(value: np.ndarray | None) -> bool:
    """Tell whether dividing by an array, or taking a root of it, gives numbers for sure."""
    return value is not None and bool((value != 0.0).all())


def _may_be_closed(coefficients: list[Expr]) -> set[int]:
    """Return which coefficients of a kernel choose, by their serial numbers."""
    return having(coefficients, _may_close)


def _may_close(expr: Expr) -> bool:
    """Tell whether an expression closes a way: chooses zero, not nothing, which is left where another took over."""
    return expr.op is OPS["select"] and any(side.equals(0.0) and not np.signbit(side.value) for side in expr.args[1:])


def _may_be_infinite(coefficients: list[Expr]) -> set[int]:
    """Return which coefficients of a kernel have a factor that is infinite at some x."""
    varying = having(coefficients, lambda e: isinstance(e.value, Load) and not _keeps_finite(e.value.buffer.value))

    def is_pole(e: Expr) -> bool:
        if e.op is None:
            return not is_finite(e)
        return e.op.singular and any(a.serial in varying for a in e.args)

    return having(coefficients, is_pole)
