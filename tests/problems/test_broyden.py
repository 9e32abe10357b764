"""Broyden's banded function: its values and its Jacobian in closed form."""

import numpy as np
import scipy.sparse

import sparsead as sad
from sparsead.problems import broyden


def test_the_jacobian_in_closed_form():
    problem = broyden(30)
    x = np.linspace(-1.0, 0.5, 30)
    column = -(1.0 + 2.0 * x)
    bands = scipy.sparse.diags_array(
        [np.ones(30 - abs(k)) for k in (-5, -4, -3, -2, -1, 1)], offsets=(-5, -4, -3, -2, -1, 1)
    )
    expected = bands @ scipy.sparse.diags_array(column) + scipy.sparse.diags_array(2.0 + 15.0 * x**2)
    J = sad.jacobian(problem.f, problem.x0)(x)
    assert J.nnz == expected.nnz
    np.testing.assert_allclose(J.toarray(), expected.toarray(), rtol=1e-15)


def test_newton_converges_quadratically_to_a_zero_at_which_all_but_the_ends_agree():
    problem = broyden(60)
    jac = sad.jacobian(problem.f, problem.x0)
    x, residuals = problem.x0, []
    for _ in range(8):
        x = x - scipy.sparse.linalg.spsolve(jac(x).tocsc(), problem.f(x))
        residuals.append(abs(problem.f(x)).max())
    assert residuals[-1] < 1e-14
    inner = x[20:40]
    assert np.ptp(inner) < 1e-4
    s = inner.mean()
    assert abs(s * (2.0 + 5.0 * s * s) + 1.0 - 6.0 * s * (1.0 + s)) < 1e-3
