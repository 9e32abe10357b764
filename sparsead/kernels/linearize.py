"""Derivatives of kernels: each store becomes linear terms whose coefficients are expressions again."""

from __future__ import annotations

from collections.abc import Callable

from sparsead.kernels.kernel import Kernel, Kernels, LinearKernel, LinearProgram, Load, Term, reachable
from sparsead.program.scalar import OPS, Expr

Coefficients = dict[Expr, Expr]


def linearize(kernels: Kernels) -> LinearProgram:
    """Return the linear program of the derivative of the output with respect to the input `wrt`."""
    active = {kernels.wrt}
    linear = []
    for kernel in kernels.kernels:
        terms = tuple(_terms(kernel, lambda load: load.buffer in active))
        active.update(t.target for t in terms)
        if terms:
            linear.append(LinearKernel(kernel.domain, terms))
    needed = _needed(kernels, linear)
    return LinearProgram(kernels.wrt, kernels.output, tuple(linear), needed)


def _terms(kernel: Kernel, is_active: Callable[[Load], bool]) -> list[Term]:
    memo: dict[int, Coefficients] = {}
    return [
        Term(store.buffer, store.place, coefficient, leaf.value.buffer, leaf.value.index)
        for store in kernel.stores
        for leaf, coefficient in coefficients(store.value, is_active, memo).items()
    ]


def _needed(kernels: Kernels, linear: list[LinearKernel]) -> Kernels:
    """Return the kernels that fill the buffers which the coefficients read."""
    wanted = {
        e.value.buffer for k in linear for e in reachable(t.coefficient for t in k.terms) if isinstance(e.value, Load)
    }
    kept = []
    for kernel in reversed(kernels.kernels):
        stores = tuple(s for s in kernel.stores if s.buffer in wanted)
        if stores:
            kept.append(Kernel(kernel.domain, stores))
            wanted.update(load.buffer for load in kept[-1].loads)
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
