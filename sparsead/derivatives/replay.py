"""Kernels run on traced arrays, so that what they compute becomes part of the program that is being traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from sparsead.errors import UnsupportedOperationError, unsupported, user_origin
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, Load, Meeting, reachable
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.linearize import restatements
from sparsead.ops.arrays import apply, scatter_sum
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.matrix import TracedSparse
from sparsead.ops.sparse.triplets import Triplets
from sparsead.program.nodes import Call
from sparsead.program.scalar import Expr
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import reading, traced

Arrays = dict[Buffer, Any]


def run(kernels: Kernels, arrays: Mapping[Buffer, Any]) -> Arrays:
    """Return all buffers, given those of the inputs, as flat traced arrays.

    Raises
    ------
    UnsupportedOperationError
        For recurrences, and for the derivatives of operations that are not traced.
    """
    known: Arrays = dict(arrays)
    for step in kernels.kernels:
        if isinstance(step, CallKernel):
            _call(step, known)
        elif step.ordered:
            _refuse("a recurrence")
        else:
            _run_kernel(step, known)
    return known


def _refuse(what: str) -> NoReturn:
    raise UnsupportedOperationError(
        f"a derivative of {what} inside a function that is differentiated is not supported.\n  {user_origin()}\n"
        "  Take all derivatives at once outside: sparsead.hessian, or the products of a prepared derivative."
    )


def require_restated(kernels: Kernels) -> None:
    """Refuse kernels that have derivatives up to some order only: the next one would lack terms."""
    restated = restatements(kernels)
    for step in kernels.kernels:
        if not isinstance(step, CallKernel) or not step.operation.carrier or step.result in restated:
            continue
        if not getattr(step.operation, "holds", False):
            raise unsupported(
                f"a derivative that was prepared outside of the function and holds {step.operation.name}",
                "Derivatives of a higher order were not prepared. Call sparsead.grad(f)(x), or prepare it inside "
                "the function.",
            )


def _call(step: CallKernel, known: Arrays) -> None:
    if any(entries in step.filled for entries in step.entries) and not step.operation.linear:
        _refuse(f"{step.operation.name}, which is not traced,")
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
    for store, value in zip(kernel.stores, computed, strict=True):
        places = np.reshape(store.place.array(), -1)
        points = np.flatnonzero(places >= 0)
        flat = value.reshape(-1)[points]
        buffer = known.get(store.buffer)
        if store.adds:
            added = scatter_sum(traced(flat), places[points], (store.buffer.size,))
            known[store.buffer] = added if buffer is None else buffer + added
            continue
        if buffer is None:
            buffer = traced(np.zeros(store.buffer.size))
        buffer[places[points]] = flat
        known[store.buffer] = buffer


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
            _refuse("a recurrence")
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
    tangents: Arrays = {linear.source: traced(v)}
    for kernel in linear.kernels:
        if kernel.ordered:
            _refuse("a recurrence")
        values = _Values(known)
        for term in kernel.terms:
            if term.source not in tangents:
                continue
            factors = values.of(term.coefficient) * _gathered(tangents[term.source], term.index)
            places = np.reshape(np.broadcast_to(term.place.array(), kernel.domain), -1)
            points = np.flatnonzero(places >= 0)
            terms = np.reshape(np.broadcast_to(traced(factors), kernel.domain), -1)[points]
            added = scatter_sum(traced(terms), places[points], (term.target.size,))
            before = tangents.get(term.target)
            tangents[term.target] = added if before is None else before + added
    return tangents.get(linear.target, traced(np.zeros(linear.target.size)))
