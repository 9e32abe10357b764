"""Solutions of equations inside functions that are differentiated, by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.derivatives.nested import NestedJacobian, are_traced
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.prepared_jacobian import Jacobian, prepared
from sparsead.errors import InputError
from sparsead.ops import solves
from sparsead.ops.arrays import any_traced
from sparsead.ops.implicit import carried, held, restated
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.order import second_order_wanted

Residual = Callable[..., Any]


def implicit(residual: Residual, solve: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a function that solves ``residual(x, *params) = 0``, with the derivative of the solution.

    However the equations are solved, by loops until convergence or by compiled code, nothing of that is
    differentiated: ``dx = -inv(dF/dx) @ dF/dp @ dp`` at the solution. Second derivatives work as well.

    Parameters
    ----------
    residual : callable
        ``residual(x, *params)``, in the shape of x: NumPy code that can be traced.
    solve : callable, optional
        ``solve(x0, *params)``, which returns the solution in the shape of x0; by default `scipy.optimize.root`.

    Returns
    -------
    callable
        ``solution(x0, *params)``: the starting point is a constant, the parameters may be traced. The derivative is a
        dense matrix, of as many rows as x has elements.

    Raises
    ------
    InputError
        At the call, if the starting point depends on x, or the solution has another shape.

    Examples
    --------
    The root of ``x**3 + p * x = 1``:

    >>> import numpy as np
    >>> import sparsead as sad
    >>> root = sad.extend.implicit(lambda x, p: x**3 + p * x - 1.0)
    >>> jac = sad.jacobian(lambda p: root(np.ones(1), p[:1]) * p[1], np.ones(2))
    >>> jac(np.array([0.0, 2.0])).toarray().round(6)  # the root is 1, its derivative -1/3
    array([[-0.666667,  1.      ]])
    """
    jacobians: dict[tuple[Any, ...], Jacobian] = {}
    if solve is None:
        import scipy.optimize  # a tenth of a second, which others need not wait

    def found(x0: Any, *params: Any) -> Any:
        if solve is not None:
            return solve(x0, *params)

        def flat(x: np.ndarray) -> Any:
            return np.ravel(residual(x.reshape(np.shape(x0)), *params))

        answer: Any = scipy.optimize.root(flat, np.ravel(x0))
        if not answer.success:
            raise ArithmeticError(f"no solution was found: {answer.message}")
        return answer.x.reshape(np.shape(x0))

    def inverse(x: Any, *params: Any) -> Any:
        key = tuple(np.shape(p) for p in (x, *params))
        if key not in jacobians:
            jacobians[key] = prepared(residual, (x, *params), Options())
        return np.linalg.inv(jacobians[key](x, *params).toarray())

    def solution(x0: Any, *params: Any) -> Any:
        if any_traced(x0):
            raise InputError("the starting point of an implicit solution depends on x; give a constant one")
        if not are_traced(params):
            return found(x0, *params)
        return _traced(residual, found, inverse, np.asarray(x0, dtype=np.float64), params)

    return solution


def _traced(residual: Residual, found: Any, inverse: Any, x0: np.ndarray, params: tuple[Any, ...]) -> Any:
    arrays = [traced(stack_objects(p)) for p in params]
    n, name = x0.size, f"the solution of {getattr(residual, '__name__', 'a residual')}"

    def unpacked(values: tuple[np.ndarray, ...]) -> list[Any]:
        return [float(v) if v.ndim == 0 else v for v in values]

    x, carrier = carried(name, lambda *values: found(x0, *unpacked(values)), x0.shape, *arrays)
    w, w_carrier = carried(name, lambda at, *values: inverse(at, *unpacked(values)), (n, n), x, *arrays)
    rest = np.reshape(traced(stack_objects(residual(x, *params))), -1)
    if rest.size != n:
        raise InputError(f"the residual has {rest.size} elements, but x has {n}")
    value = restated(x - (w @ (rest - held(rest))).reshape(x0.shape), carrier)
    if not second_order_wanted():
        return value
    jacobian_there = NestedJacobian.of(residual, (value, *params))(value, *params).toarray()
    again = solves.inv(jacobian_there) if n > 1 else 1.0 / jacobian_there
    return restated(value, along=[restated(again, w_carrier)])
