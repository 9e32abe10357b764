"""Broyden's banded function, written as the loop over elements that the publications print."""

from __future__ import annotations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "C. G. Broyden, The convergence of an algorithm for solving sparse nonlinear systems, Math. Comp. 25 (1971) "
    "285-294; problem 31 of J. J. Moré, B. S. Garbow and K. E. Hillstrom, Testing unconstrained optimization "
    "software, ACM Trans. Math. Softw. 7 (1981) 17-41"
)


def banded(x: np.ndarray) -> np.ndarray:
    """Return the residuals: a cubic of each element, less a quadratic of five elements before and one behind it."""
    n = len(x)
    r = np.zeros_like(x)
    for i in range(n):
        s = x[i] * (2.0 + 5.0 * x[i] ** 2) + 1.0
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                s -= x[j] * (1.0 + x[j])
        r[i] = s
    return r


def broyden(size: int) -> Problem:
    """Return Broyden's banded function of `size` variables, a Python loop; its Jacobian has seven diagonals.

    Source: Moré, Garbow and Hillstrom (1981), problem 31.

    Examples
    --------
    >>> problem = broyden(3)
    >>> problem.f(problem.x0).tolist()
    [-6.0, -6.0, -6.0]
    """
    n = check_size(size)
    return Problem(
        name="broyden",
        title=f"Broyden's banded function of {n:,} variables, a loop",
        reference=REFERENCE,
        derivative="jacobian",
        f=banded,
        x0=-np.ones(n),
    )
