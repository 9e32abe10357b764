"""Derivatives of kernels: each store becomes linear terms whose coefficients are expressions again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sparsead.errors import UnsupportedOperationError
from sparsead.kernels.alike import Derivatives
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import (
    Buffer,
    CallKernel,
    Kernel,
    Kernels,
    LinearKernel,
    LinearProgram,
    Load,
    Step,
    Term,
    filled_by,
    reachable,
    read_by,
)
from sparsead.kernels.masks import without_zeros
from sparsead.kernels.reciprocals import with_reciprocals
from sparsead.program.scalar import OPS, Expr, Pool

Coefficients = dict[Expr, Expr]


def linearize(kernels: Kernels) -> LinearProgram:
    """Return the linear program of the derivative of the output with respect to the input `wrt`.

    Raises
    ------
    UnsupportedOperationError
        If the derivative of an operation that is not traced would have to be differentiated.
    """
    active = {kernels.wrt}
    entries: dict[Buffer, CallKernel] = {}
    linear = []
    derivatives = Derivatives(_linear_kernels)
    for step in kernels.kernels:
        if isinstance(step, CallKernel):
            entries |= dict.fromkeys(step.entries, step)
            found = [k for k in _call_kernels(step) if k.terms[0].source in active]
        else:
            found = derivatives.of(step, active)
            _check_second_derivatives(step, entries, active)
        active.update(t.target for k in found for t in k.terms)
        linear += found
    linear = _alive(linear, kernels.output)
    return LinearProgram(kernels.wrt, kernels.output, tuple(linear), _needed(kernels, linear))


def _linear_kernels(kernel: Kernel, active: set[Buffer]) -> list[LinearKernel]:
    """Return the derivative of a kernel, given the buffers that depend on x."""
    own = set(filled_by(kernel)) if kernel.ordered else set()
    terms = tuple(_terms(kernel, active.union(own)))
    whole = LinearKernel(kernel.domain, terms, kernel.ordered)
    return list(without_zeros(whole)) if any(t.source in active for t in terms) else []


def _alive(linear: list[LinearKernel], output: Buffer) -> list[LinearKernel]:
    """Return the kernels without the terms that do not reach the output."""
    wanted = {output}
    kept = []
    for kernel in reversed(linear):
        alive: tuple[Term, ...] = ()
        while len(found := tuple(t for t in kernel.terms if t.target in wanted)) > len(alive):
            alive = found
            if kernel.ordered:  # it may read what it writes
                wanted.update(t.source for t in alive)
        wanted.update(t.source for t in alive)
        if alive:
            kept.append(replace(kernel, terms=alive))
    return kept[::-1]


def _terms(kernel: Kernel, active: set[Buffer]) -> list[Term]:
    memo: dict[int, Coefficients] = {}

    def is_active(load: Load) -> bool:
        return load.buffer in active

    found = [
        (store, leaf.value, coefficient)
        for store in kernel.stores
        for leaf, coefficient in coefficients(store.value, is_active, memo).items()
    ]
    simplified = with_reciprocals(coefficient for _, _, coefficient in found)
    return [
        Term(store.buffer, store.place, coefficient, load.buffer, load.index)
        for (store, load, _), coefficient in zip(found, simplified, strict=True)
    ]


def _call_kernels(call: CallKernel) -> list[LinearKernel]:
    """Return the derivative of a call: the entries that it fills are coefficients."""
    kernels = []
    for number, (operand, entries) in enumerate(zip(call.operands, call.entries, strict=True)):
        rows, columns = call.operation.structure(number)
        everywhere = IndexMap((entries.size,), 0, (1,))
        coefficient = Pool().leaf(Load(entries, everywhere))
        term = Term(call.result, recognise(rows), coefficient, operand, recognise(columns))
        kernels += [LinearKernel((entries.size,), (term,))] if entries.size else []
    return kernels


def _check_second_derivatives(kernel: Kernel, entries: dict[Buffer, CallKernel], active: set[Buffer]) -> None:
    for load in kernel.loads:
        call = entries.get(load.buffer)
        if call is not None and not call.operation.linear and any(b in active for b in call.operands):
            raise UnsupportedOperationError(
                f"a second derivative of {call.operation.name}, which is not traced, is not known.\n"
                "  A Hessian needs operations that are traced, or declared with linear=True."
            )


def _needed(kernels: Kernels, linear: list[LinearKernel]) -> Kernels:
    """Return the steps that fill the buffers which the coefficients read."""
    wanted = {
        e.value.buffer for k in linear for e in reachable(t.coefficient for t in k.terms) if isinstance(e.value, Load)
    }
    kept: list[Step] = []
    for step in reversed(kernels.kernels):
        if isinstance(step, CallKernel):
            part: Step = replace(step, filled=tuple(b for b in (step.result, *step.entries) if b in wanted))
        else:
            part = replace(step, stores=tuple(s for s in step.stores if s.buffer in wanted))
        if filled_by(part):
            kept.append(part)
            wanted.update(read_by(part))
    return Kernels(kernels.wrt, kernels.output, kernels.arguments, tuple(reversed(kept)))


def coefficients(root: Expr, is_active: Callable[[Load], bool], memo: dict[int, Coefficients]) -> Coefficients:
    """Return the partial derivatives of an expression with respect to its active loads.

    Reverse accumulation over the expression (Griewank & Walther 2008, section 3.2), except at a choice between
    operands that may have infinite derivatives: there both sides are differentiated and one is chosen, so that
    nothing is multiplied by zero.
    """
    if root.serial in memo:
        return memo[root.serial]
    adjoint: dict[int, Expr] = {root.serial: root.pool.constant(1.0)}
    found: Coefficients = {}

    def credit(target: Expr, amount: Expr) -> None:
        known = adjoint.get(target.serial)
        adjoint[target.serial] = amount if known is None else known + amount

    for expr in reversed(reachable([root])):
        weight = adjoint.get(expr.serial)
        if weight is None or weight.equals(0.0):
            continue
        if expr.op is None:
            if isinstance(expr.value, Load) and is_active(expr.value):
                found[expr] = weight
        elif expr.op.choice is not None and _may_be_singular(expr):
            for leaf, chosen in _chosen(expr, is_active, memo).items():
                credit(leaf, weight * chosen)
        else:
            for arg, partial in zip(expr.args, expr.op.partials, strict=True):
                if partial is not None and not arg.is_constant:
                    credit(arg, weight * partial(*expr.args))
    memo[root.serial] = found = {leaf: c for leaf, c in found.items() if not c.equals(0.0)}
    return found


def _chosen(expr: Expr, is_active: Callable[[Load], bool], memo: dict[int, Coefficients]) -> Coefficients:
    assert expr.op is not None and expr.op.choice is not None
    condition, if_true, if_false = expr.op.choice(*expr.args)
    zero = expr.pool.constant(0.0)
    first = coefficients(if_true, is_active, memo)
    second = coefficients(if_false, is_active, memo)
    leaves = dict.fromkeys([*first, *second])
    return {q: OPS["select"](condition, first.get(q, zero), second.get(q, zero)) for q in leaves}


def _may_be_singular(expr: Expr) -> bool:
    return any(e.op is not None and e.op.singular for e in reachable(expr.args))
