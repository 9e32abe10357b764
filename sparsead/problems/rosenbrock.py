"""The chained Rosenbrock function: one long, curved valley."""

from __future__ import annotations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "Ph. L. Toint, Some numerical results using a sparse matrix updating formula in unconstrained optimization, "
    "Math. Comp. 32 (1978) 839-851"
)


def valley(x: np.ndarray) -> float:
    """Return ``sum(100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2)`` over the chain."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock(size: int) -> Problem:
    """Return the chained Rosenbrock function of `size` variables; its Hessian has three diagonals.

    Source: Toint (1978), with the coefficients 100 and 1 throughout.

    Examples
    --------
    >>> problem = rosenbrock(2)
    >>> round(float(problem.f(problem.x0)), 6)
    24.2
    """
    n = check_size(size, at_least=2)
    x0 = np.ones(n)
    x0[::2] = -1.2
    return Problem(
        name="rosenbrock",
        title=f"chained Rosenbrock function of {n:,} variables",
        reference=REFERENCE,
        derivative="hessian",
        f=valley,
        x0=x0,
    )
