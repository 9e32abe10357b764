"""Iterative solvers inside of functions: SciPy's values, and the derivatives of the solution, of both orders."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spl

import sparsead as sad
from tests.reference import differences

N = 6
X = np.array([0.41, 0.87, 0.36, 0.93, 0.64, 0.52])
CONSTANT = sp.diags_array([[-1.0] * (N - 1), [3.0] * N, [-1.0] * (N - 1)], offsets=[-1, 0, 1]).tocsr()
SOLVERS = ("cg", "cgs", "bicg", "bicgstab", "gmres", "lgmres", "gcrotmk", "minres", "qmr", "tfqmr")


def symmetric(x):
    return sp.diags_array([-0.5 * x[1:], 3.0 + x, -0.5 * x[1:]], offsets=[-1, 0, 1]).tocsr()


def dense(x):
    return np.diag(3.0 + x) + np.diag(-0.5 * x[1:], 1) + np.diag(-0.5 * x[1:], -1)


#: The system, and the same as dense arrays.
SYSTEMS = {
    "constant": (lambda x: (CONSTANT, x**2), lambda x: (CONSTANT.toarray(), x**2)),
    "operator": (lambda x: (spl.aslinearoperator(CONSTANT), x**2), lambda x: (CONSTANT.toarray(), x**2)),
    "of unknowns": (lambda x: (symmetric(x), np.cos(x)), lambda x: (dense(x), np.cos(x))),
    "known right-hand side": (lambda x: (symmetric(x), np.ones(N)), lambda x: (dense(x), np.ones(N))),
    "dense": (lambda x: (dense(x), x**2), lambda x: (dense(x), x**2)),
}


CASES = [(solver, name) for solver in SOLVERS for name in SYSTEMS if solver in ("cg", "gmres") or "of" in name]


@pytest.mark.parametrize(("solver", "system"), CASES)
def test_values_and_derivatives(solver, system):
    given, plain = SYSTEMS[system]
    f = lambda x: getattr(spl, solver)(*given(x), rtol=1e-13)[0]  # noqa: E731
    solved = lambda x: np.linalg.solve(*plain(x))  # noqa: E731
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14)
    np.testing.assert_allclose(jac(X).toarray(), differences(solved, X), rtol=1e-8, atol=1e-9)
    if solver in ("cg", "gmres"):
        hess = sad.hessian(lambda x: np.sum(f(x) ** 2), X)(X).toarray()
        reference = sad.hessian(lambda x: np.sum(solved(x) ** 2), X)(X).toarray()
        np.testing.assert_allclose(hess, reference, rtol=1e-10, atol=1e-11)


def test_preconditioners_and_starts_are_constants():
    f = lambda x: spl.cg(symmetric(x), x, 1.0 + x, rtol=1e-13, M=sp.diags_array(1.0 / CONSTANT.diagonal()))[0]  # noqa: E731
    reference = differences(lambda x: np.linalg.solve(dense(x), x), X)
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), reference, rtol=1e-8, atol=1e-9)


def test_what_has_not_converged():
    with pytest.raises(sad.UnsupportedOperationError, match=r"cg of unknowns to rtol=1e-05(.|\n)*pass rtol=1e-12"):
        sad.jacobian(lambda x: spl.cg(CONSTANT, x)[0], X)
    with pytest.raises(ArithmeticError, match="cg did not converge"):
        sad.jacobian(lambda x: spl.cg(symmetric(x), x, rtol=1e-13, maxiter=2)[0], X)(X)
    with pytest.raises(sad.UnsupportedOperationError, match="callback"):
        sad.jacobian(lambda x: spl.cg(CONSTANT, x, rtol=1e-13, callback=print)[0], X)


def test_operators_that_hold_unknowns_are_refused():
    def f(x):
        operator = spl.LinearOperator((N, N), matvec=lambda v: (3.0 + x) * v, dtype=float)
        return spl.cg(operator, np.ones(N), rtol=1e-13)[0]

    with pytest.raises(sad.UnsupportedOperationError):
        sad.jacobian(f, X)


def test_the_solution_of_a_column_is_flat():
    A = sp.diags_array([4.0, -1.0, -1.0], offsets=[0, 1, -1], shape=(4, 4)).tocsr()
    jac = sad.jacobian(lambda x: spl.cg(A, x[:, None], rtol=1e-13)[0], np.ones(4))
    assert jac.value(np.ones(4)).shape == (4,)
    np.testing.assert_allclose(jac(np.ones(4)).toarray(), np.linalg.inv(A.toarray()), atol=1e-12)
