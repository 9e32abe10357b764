"""Points at which a constant makes a coefficient zero, for every x: no entries there, and nothing to compute.

A mask is the common case: ``mask * f(x)``, ``np.where(mask, f(x), g(x))``. A zero annihilates whatever it multiplies,
infinities included, as it does where a constant is zero everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import Load, Meeting, moved, reachable
from sparsead.kernels.linear import LinearKernel
from sparsead.program.index import IndexArray, box, stored_part
from sparsead.program.scalar import Expr

MOST_MASKS = 62  # bits of a kind
MOST_KINDS = 16  # of points, by which of their terms are zero; with more of them, zeros are kept as entries


def without_zeros(kernel: LinearKernel) -> Iterator[LinearKernel]:
    """Cut a linear kernel by which of its terms are zero, and leave those terms out."""
    zero = [] if kernel.ordered else _zeros(kernel) if _has_zeros(kernel) else _mostly_zeros(kernel)
    masks = list({mask.tobytes(): mask for mask in zero if mask.any()}.values())
    if not 0 < len(masks) <= MOST_MASKS:
        yield kernel
        return
    kind = np.zeros(kernel.domain, np.int64)
    for k, mask in enumerate(masks):
        kind |= mask.astype(np.int64) << k
    kinds, first = np.unique(kind, return_index=True)
    if len(kinds) > MOST_KINDS:
        yield kernel
        return
    for number, point in zip(kinds, first, strict=True):
        terms = tuple(t for t, mask in zip(kernel.terms, zero, strict=True) if not mask.flat[point])
        if terms:
            yield _restricted(replace(kernel, terms=terms), np.flatnonzero(kind == number))


def _restricted(kernel: LinearKernel, points: IndexArray) -> LinearKernel:
    """Return a kernel at some of its points, as a block of its domain where they form one."""
    block = box(points, kernel.domain)
    coordinates = np.unravel_index(points, kernel.domain)
    domain = block[1] if block else points.shape

    def move(index: IndexMap) -> IndexMap:
        return recognise(index.array()[block[0]] if block else index.at(coordinates))

    coefficients = moved((t.coefficient for t in kernel.terms), move)
    terms = (
        replace(t, place=move(t.place), coefficient=c, index=move(t.index))
        for t, c in zip(kernel.terms, coefficients, strict=True)
    )
    return LinearKernel(domain, tuple(terms))


def _has_zeros(kernel: LinearKernel) -> bool:
    """Tell whether the coefficients read a constant that has zeros: if none does, there is nothing to look for."""
    read = {e.value.buffer for e in reachable(t.coefficient for t in kernel.terms) if isinstance(e.value, Load)}
    return any(b.value is not None and not b.value.all() for b in read)


def _mostly_zeros(kernel: LinearKernel) -> list[np.ndarray]:
    """Return the same of terms that are there for a few points alone: where index maps meet."""
    if not any(isinstance(e.value, Meeting) for e in reachable(t.coefficient for t in kernel.terms)):
        return []
    return [mask & (np.count_nonzero(mask) > mask.size // 2) for mask in _zeros(kernel)]


def _zeros(kernel: LinearKernel) -> list[np.ndarray]:
    """Return where the coefficient of each term is zero, arrays of bool over the domain."""
    known: dict[int, np.ndarray | None] = {}
    zero: dict[int, np.ndarray] = {}
    for e in reachable(t.coefficient for t in kernel.terms):
        known[e.serial] = _value(e, known)
        found = known[e.serial]
        zero[e.serial] = _annihilated(e, known, zero) if found is None else np.asarray(found == 0)
    return [np.broadcast_to(zero[t.coefficient.serial], kernel.domain) for t in kernel.terms]


def _value(e: Expr, known: dict[int, np.ndarray | None]) -> np.ndarray | None:
    """Return the values of an expression of constants alone, broadcastable to the domain; None for others."""
    if isinstance(e.value, Load):
        constant = e.value.buffer.value
        return None if constant is None else constant[stored_part(e.value.index.array())]
    if isinstance(e.value, Meeting):
        return e.value.array()
    if e.op is None:
        return np.asarray(e.value)
    operands = [known[a.serial] for a in e.args]
    if any(operand is None for operand in operands):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(e.op.numpy(*operands))


def _annihilated(e: Expr, known: dict[int, np.ndarray | None], zero: dict[int, np.ndarray]) -> np.ndarray:
    """Return where an expression is zero because of what it is made of."""
    parts = [zero[a.serial] for a in e.args]
    match e.op.name if e.op else "":
        case "multiply":
            return parts[0] | parts[1]
        case "divide" | "negative" | "square" | "absolute":
            return parts[0]
        case "add" | "subtract" | "maximum" | "minimum":
            return parts[0] & parts[1]
        case "select":
            condition = known[e.args[0].serial]
            return parts[1] & parts[2] if condition is None else np.where(condition, parts[1], parts[2])
    return np.zeros((), np.bool_)
