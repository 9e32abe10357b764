"""Kernels run on traced arrays, so that what they compute becomes part of the program that is being traced."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

import numpy as np

from sparsead.errors import UnsupportedOperationError, unsupported, user_origin
from sparsead.kernels.gradient import accumulated
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, Load, Meeting, Step, Store, reachable
from sparsead.kernels.linear import LinearProgram, reached
from sparsead.kernels.linearize import restatements
from sparsead.ops.arrays import apply, scatter_sum
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.matrix import TracedSparse
from sparsead.ops.sparse.triplets import Triplets
from sparsead.program.nodes import Call
from sparsead.program.scalar import Expr, Op
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import reading, traced
from sparsead.tracing.scalar import applied

Arrays = dict[Buffer, Any]


def run(kernels: Kernels, arrays: Mapping[Buffer, Any]) -> Arrays:
    """Return all buffers, given those of the inputs, as flat traced arrays.

    Raises
    ------
    UnsupportedOperationError
        For the derivatives of operations that are not traced.
    """
    known: Arrays = dict(arrays)
    for step in kernels.kernels:
        _run_step(step, known)
    return known


def _run_step(step: Step, known: Arrays) -> None:
    if isinstance(step, CallKernel):
        _call(step, known)
    elif step.ordered:
        _run_in_order(step, known)
    else:
        _run_kernel(step, known)


def _refuse(what: str, instead: str) -> NoReturn:
    raise UnsupportedOperationError(
        f"{what} inside a function that is differentiated is not supported.\n  {user_origin()}\n  {instead}"
    )


def require_restated(kernels: Kernels) -> None:
    """Refuse kernels that have derivatives up to some order only: the next one would lack terms."""
    restated = restatements(kernels)
    for step in kernels.kernels:
        if not isinstance(step, CallKernel) or step.result in restated:
            continue
        if step.operation.carrier and not step.operation.holds:
            raise unsupported(
                f"a derivative that was prepared outside of the function and holds {step.operation.name}",
                "Derivatives of a higher order were not prepared. Call sparsead.grad(f)(x), or prepare it inside "
                "the function.",
            )


def _call(step: CallKernel, known: Arrays) -> None:
    if any(entries in step.filled for entries in step.entries) and not step.operation.linear:
        _refuse(
            f"a derivative of {step.operation.name}, which is not traced,",
            "Take all derivatives at once outside: sparsead.hessian, or the products of a prepared derivative.",
        )
    args = tuple(reading(traced(known[b])) for b in step.operands)
    if step.result in step.filled:
        call = Call(shape=(step.result.size,), operation=step.operation, args=args, origin=user_origin())
        known[step.result] = TracedArray.of_node(call)
    for number, entries in enumerate(step.entries):
        if entries in step.filled:  # of a linear operation: they do not depend on the operands
            constant = np.empty(entries.size)
            step.operation.derivative([np.zeros(b.size) for b in step.operands], number, constant)
            known[entries] = constant


def _run_kernel(kernel: Kernel, known: Arrays) -> None:
    values = _Values(known)
    computed = [np.broadcast_to(traced(values.of(s.value)), kernel.domain) for s in kernel.stores]
    stored = zip(kernel.stores, computed, strict=True)
    for (buffer, adds, _), group in itertools.groupby(enumerate(stored), lambda s: _added_at_once(kernel, *s)):
        _store(buffer, adds, [s for _, s in group], known)


def _added_at_once(kernel: Kernel, number: int, stored: tuple[Store, Any]) -> tuple[Buffer, bool, int]:
    """Return what stores have in common that are made at once: what one point adds to the elements of one array.

    A function of a few numbers in a straight line adds to each of them by a store of its own.
    """
    store, _ = stored
    return store.buffer, store.adds, -1 if store.adds and math.prod(kernel.domain) == 1 else number


def _store(buffer: Buffer, adds: bool, stored: list[tuple[Store, Any]], known: Arrays) -> None:
    places = [np.reshape(store.place.array(), -1) for store, _ in stored]
    points = [np.flatnonzero(at >= 0) for at in places]
    values = [value.reshape(-1)[inside] for (_, value), inside in zip(stored, points, strict=True)]
    flat = values[0] if len(values) == 1 else np.concatenate(values)
    at = np.concatenate([at[inside] for at, inside in zip(places, points, strict=True)])
    held = known.get(buffer)
    if adds:
        added = scatter_sum(traced(flat), at, (buffer.size,))
        known[buffer] = added if held is None else held + added
        return
    if held is None:
        known[buffer] = held = traced(np.zeros(buffer.size))
    held[at] = flat


def _run_in_order(kernel: Kernel, known: Arrays) -> None:
    """Run a kernel point by point, as a loop over elements, of which the trace makes a recurrence again."""
    own = {s.buffer for s in kernel.stores}
    for buffer in own:
        held = known.get(buffer)
        known[buffer] = traced(np.full(buffer.size, buffer.empty) if held is None else held).copy()
    places = [s.place.array().reshape(-1) for s in kernel.stores]
    at_point = _point_by_point(kernel, own, known)
    for point in range(math.prod(kernel.domain)):
        values = at_point(point)
        for store, place in zip(kernel.stores, places, strict=True):
            if (at := int(place[point])) >= 0:
                held, value = known[store.buffer], values[store.value.serial]
                held[at] = held[at] + value if store.adds else value


def _point_by_point(kernel: Kernel, own: Collection[Buffer], known: Arrays) -> Callable[[int], dict[int, Any]]:
    """Return a function of the point that returns the values there, by expression.

    What does not read the buffers that the kernel itself fills is computed over the whole domain beforehand.
    """
    beforehand, inside = _Values(known), list(reachable(s.value for s in kernel.stores))
    arrays: dict[int, Any] = {}
    reads: dict[int, tuple[Any, np.ndarray]] = {}
    for expr in inside:
        if isinstance(expr.value, Load) and expr.value.buffer in own:
            reads[expr.serial] = known[expr.value.buffer], expr.value.index.array().reshape(-1)
        elif expr.op is None or all(a.serial in arrays for a in expr.args):
            arrays[expr.serial] = np.broadcast_to(traced(beforehand.of(expr)), kernel.domain).reshape(-1)

    def at_point(point: int) -> dict[int, Any]:
        values: dict[int, Any] = {}
        for expr in inside:
            if expr.serial in arrays:
                values[expr.serial] = arrays[expr.serial][point]
            elif expr.serial in reads:
                held, places = reads[expr.serial]
                values[expr.serial] = held[places[point]] if places[point] >= 0 else 0.0
            else:
                assert expr.op is not None
                values[expr.serial] = _at_a_point(expr.op, [values[a.serial] for a in expr.args])
        return values

    return at_point


def _at_a_point(op: Op, numbers: list[Any]) -> Any:
    """Apply an operation to numbers, traced or not."""
    found = applied(op, numbers)
    return found if found is not None else op.numpy(*numbers)


class _Values:
    """The values of expressions over the domain of one kernel."""

    def __init__(self, known: Arrays) -> None:
        self.known = known
        self._found: dict[int, Any] = {}

    def of(self, root: Expr) -> Any:
        """Return the values of an expression: an array over the domain, or a number."""
        for expr in reachable([root]):
            if expr.serial not in self._found:
                self._found[expr.serial] = self._one(expr)
        return self._found[root.serial]

    def _one(self, expr: Expr) -> Any:
        if expr.op is not None:
            return apply(expr.op, [self._found[a.serial] for a in expr.args], expr.op.conditions)
        if isinstance(expr.value, Load):
            return _gathered(self._array(expr.value.buffer), expr.value.index)
        return expr.value.array() if isinstance(expr.value, Meeting) else expr.value

    def _array(self, buffer: Buffer) -> Any:
        return buffer.value if buffer.value is not None else self.known[buffer]


def _gathered(array: Any, index: IndexMap) -> Any:
    """Return the elements that an index map reads; nowhere is zero."""
    places = index.array()
    if index.masked:
        array, places = np.concatenate([array, np.zeros(1)]), np.where(places < 0, np.size(array), places)
    return array[places]


def matrix(linear: LinearProgram, known: Arrays, shape: tuple[int, int]) -> TracedSparse:
    """Return the matrix of a linear program, given the buffers that its coefficients read.

    Every kernel is a sparse matrix; their products, in order, are the derivatives of the buffers.
    """
    n = shape[1]
    identity = np.arange(n)
    derivatives: dict[Buffer, Triplets] = {linear.source: Triplets(identity, identity, traced(np.ones(n)), (n, n))}
    for kernel in linear.kernels:
        if kernel.ordered:
            _refuse("the matrix of a recurrence", "Use products with it: jvp, vjp, hvp, or sparsead.grad.")
        values = _Values(known)
        for term in kernel.terms:
            rows, columns = (np.broadcast_to(m.array(), kernel.domain).reshape(-1) for m in (term.place, term.index))
            inside = np.flatnonzero((rows >= 0) & (columns >= 0))
            coefficients = np.broadcast_to(traced(values.of(term.coefficient)), kernel.domain).reshape(-1)[inside]
            layer = Triplets(rows[inside], columns[inside], coefficients, (term.target.size, term.source.size))
            if term.source not in derivatives:
                continue
            part = layer.summed() if term.source is linear.source else triplets.product(layer, derivatives[term.source])
            before = derivatives.get(term.target)
            derivatives[term.target] = part if before is None else triplets.added(before, part)
    found = derivatives.get(linear.target)
    if found is None:
        nowhere = np.zeros(0, dtype=np.int64)
        found = Triplets(nowhere, nowhere, traced(np.zeros(0)), shape)
    return TracedSparse.of_triplets(found)


def product(linear: LinearProgram, known: Arrays, v: Any) -> Any:
    """Return the product of the matrix of a linear program with a vector, without the matrix."""
    tangents = {b: Buffer(f"d{b}", b.size, "work") for b in (linear.source, linear.target, *linear.work)}
    arrays = {**known, tangents[linear.source]: traced(v)}
    for step in accumulated(reached(linear.kernels, linear.source), tangents, absorbing=False):
        _run_step(step, arrays)
    return arrays.get(tangents[linear.target], traced(np.zeros(linear.target.size)))
