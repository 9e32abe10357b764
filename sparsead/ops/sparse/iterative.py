"""Iterative solvers of scipy.sparse.linalg: the value is that of SciPy's call, the derivative that of the solution.

What the iteration leaves of the residual belongs to the value and has no derivative: that is the implicit rule, of the
solution to which the iteration converges. An iteration that does not converge is an error at the evaluation; one to a
tolerance that leaves more than rounding is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from sparsead.errors import UnsupportedOperationError, unsupported
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.implicit import carried, held, restated
from sparsead.ops.registry import Sample, record
from sparsead.ops.sparse.building import built
from sparsead.ops.sparse.matrix import TracedSparse, of_any
from sparsead.ops.sparse.numbering import is_sparse
from sparsead.ops.sparse.solves import CONSTANT, by_matrix, require_dense
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import on_values
from sparsead.tracing.replacing.names import patch

DEFAULT, LOOSEST = 1e-5, 1e-12  # relative residuals: of SciPy, and what is close enough to the solution
SYMMETRIC = scipy.sparse.csc_array((CONSTANT + CONSTANT.T) / 2.0)
SOLVERS = ("cg", "cgs", "bicg", "bicgstab", "gmres", "lgmres", "gcrotmk", "minres", "qmr", "tfqmr")


def _inverse(A: Any, name: str) -> np.ndarray:
    """Return the inverse of a constant matrix, whatever it is given as."""
    try:
        whole = A.toarray() if is_sparse(A) else A if isinstance(A, np.ndarray) else A @ np.eye(A.shape[1])
    except UnsupportedOperationError as error:
        hint = "Give its matrix, sparse or dense: what the operator does with unknowns cannot be looked at."
        raise unsupported(f"{name} of an operator that holds unknowns", hint) from error
    return np.linalg.inv(np.asarray(known(whole, f"{name} of an operator")))


def _solved(original: Callable[..., Any], name: str, A: Any, b: Any, x0: Any = None, **options: Any) -> Any:
    """Return what a solver returns: the solution, and that it has converged."""
    if options.get("callback") is not None:
        raise unsupported(f"{name} of unknowns with callback=", "Leave it out: there are no values to call it with.")
    if options.get("rtol", DEFAULT) > LOOSEST:
        raise unsupported(
            f"{name} of unknowns to rtol={options.get('rtol', DEFAULT)}",
            "The derivative is that of the solution, and so far from it the function has another one: pass "
            f"rtol={LOOSEST}, or use spsolve.",
        )
    settings = {key: known(value, f"{name} with {key}=") for key, value in options.items()}
    start = None if x0 is None or any_traced(x0) else np.asarray(x0)  # it makes no difference where it begins
    unknown = any_traced(A)
    rhs = traced(stack_objects(b)).reshape(-1)  # a column has a flat solution, too
    require_dense(rhs.size)
    A = A if is_sparse(A) or unknown else known(A, name)

    def iterate(matrix: Any, values: np.ndarray) -> np.ndarray:
        found, info = original(matrix, values.reshape(-1), x0=start, **settings)
        if info:
            raise ArithmeticError(f"{name} did not converge (info = {info})")
        return np.reshape(found, values.shape)

    if unknown:
        matrix: TracedSparse = of_any(A) if is_sparse(A) else built(scipy.sparse.csc_array, stack_objects(A))
        return by_matrix(matrix, rhs, name, iterate), 0
    x, carrier = carried(name, lambda values: iterate(A, values), rhs.shape, rhs)
    return restated(x + np.reshape(_inverse(A, name) @ (rhs - held(rhs)), rhs.shape), carrier), 0


def _state(name: str) -> None:
    original = getattr(scipy.sparse.linalg, name)
    spelled = f"scipy.sparse.linalg.{name}"

    def call(A: Any, b: Any, x0: Any = None, **options: Any) -> Any:
        if not any_traced([A, b, x0, options]):
            return on_values(original, (A, b), {"x0": x0, **options})
        return _solved(original, spelled, A, b, x0, **options)

    patch(original, call)
    record("sparse", spelled, [_sample_of_constant(name), _sample_of_unknown(name)])


def _sample_of_constant(name: str) -> Sample:
    to = _to_the_end(name)
    return lambda x: getattr(scipy.sparse.linalg, name)(SYMMETRIC, x[0, :3], **to)[0]


def _sample_of_unknown(name: str) -> Sample:
    to = _to_the_end(name)
    return lambda x: getattr(scipy.sparse.linalg, name)(
        scipy.sparse.csr_array(np.diag(2.0 + x[0, :3]) + np.diag(x[0, 1:3], 1) + np.diag(x[0, 1:3], -1)),
        x[1, :3] ** 2,
        **to,
    )[0]


def _to_the_end(name: str) -> dict[str, float]:
    return {"rtol": 1e-13} | ({} if name == "minres" else {"atol": 0.0})  # SciPy 1.13 asks for both


for _name in SOLVERS:
    _state(_name)
