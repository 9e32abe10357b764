"""Factors that serve many step sizes: few of them, and the same solutions."""

import numpy as np
import pytest
import scipy.integrate
import scipy.sparse as sp
import scipy.sparse.linalg
from scipy.integrate import solve_ivp

from sparsead import solvers
from sparsead.solvers.factors import SuperLU, direct_solver
from sparsead.solvers.kept import ACCURACY, Combination, KeptFactors, Union
from tests.solvers.stiff import STIFF

IDENTITY = Combination(1.0, 0.0)
N = 40


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Let narrow bands be solved as wide ones are."""
    monkeypatch.setattr("sparsead.solvers.ivp.banded", lambda J: None)


def diffusion(strength=1.0):
    """Return a Jacobian with entries that are zero, and none in part of the diagonal."""
    J = strength * N**2 * (sp.eye_array(N, k=1) + sp.eye_array(N, k=-1) - 2.0 * sp.eye_array(N))
    J = sp.csc_array(J)
    J.data[3] = 0.0
    return Combination(0.0, 1.0, J)


def kept(kind="superlu", single=True):
    return KeptFactors(direct_solver(kind, diffusion().J), single)


def error(x, A, b):
    exact = np.linalg.solve(A.a * np.eye(N) + A.b * A.J.toarray(), b)
    return np.linalg.norm(x - exact) / np.linalg.norm(exact)


def test_scipys_expression_gives_a_combination():
    J = diffusion()
    A = IDENTITY - np.float64(0.25) * J
    x = np.arange(float(N))
    np.testing.assert_allclose(A @ x, x - 0.25 * (J.J @ x))


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_zeros_stay_and_the_diagonal_is_added(dtype):
    J = sp.csc_array((np.array([0.0, 2.0, 3.0], dtype), [1, 0, 2], [0, 1, 2, 3]), shape=(3, 3))
    A = IDENTITY - 0.5 * Combination(0.0, 1.0, J)
    matrix = Union(J).matrix(A)
    assert matrix.nnz == 5  # three of the diagonal, one of them J's, and its two others
    assert matrix.dtype == dtype
    np.testing.assert_allclose(matrix.toarray(), np.eye(3) - 0.5 * J.toarray())


@pytest.mark.parametrize("kind", ["superlu", scipy.sparse.linalg.factorized])
def test_few_factors_serve_growing_steps(kind):
    J, factors, rng = diffusion(), kept(kind, kind == "superlu"), np.random.default_rng(0)
    for c in 1e-5 * 1.5 ** np.arange(20):
        A = IDENTITY - c * J
        system = factors.system(A, np.ones(N))
        for _ in range(4):
            b = rng.standard_normal(N)
            assert error(factors.solve(system, b), A, b) < 2.0 * ACCURACY
    assert 1 < factors.count < 10


@pytest.mark.parametrize("change", [lambda J: 0.3 * J, lambda J: Combination(0.0, 1.0, J.J.copy())])
def test_smaller_steps_and_other_jacobians_are_factored(change):
    J, factors = diffusion(), kept()
    for A in (IDENTITY - 0.1 * J, IDENTITY - 0.1 * change(J)):
        b = np.ones(N)
        assert error(factors.solve(factors.system(A, np.ones(N)), b), A, b) < 1e-5
    assert factors.count == 2


def test_a_jacobian_may_change_its_pattern():
    factors = kept()
    wide = Combination(0.0, 1.0, sp.csc_array(diffusion().J + sp.eye_array(N, k=5)))
    for A in (IDENTITY - 0.1 * diffusion(), IDENTITY - 0.1 * wide):
        b = np.ones(N)
        assert error(factors.solve(factors.system(A, np.ones(N)), b), A, b) < 1e-5


def test_single_precision_is_left_where_it_fails():
    """The sum of x is conserved: rounded to single precision, a large step loses it."""
    ring = sp.csc_array(N**2 * (np.roll(np.eye(N), 1, 0) + np.roll(np.eye(N), -1, 0) - 2.0 * np.eye(N)))
    for c, bound in ((1e-3, 1e-5), (1e6, 1e-5)):
        factors, A = kept(), IDENTITY - c * Combination(0.0, 1.0, ring)
        b = np.linspace(1.0, 2.0, N)
        x = factors.solve(factors.system(A, np.ones(N)), b)
        assert abs(x.sum() / b.sum() - 1.0) < bound


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_numbers_beyond_single_precision(size):
    factors, A, b = kept(), IDENTITY - 0.1 * diffusion(), np.full(N, size)
    assert error(factors.solve(factors.system(A, b), b), A, b) < 1e-5
    large, unit = IDENTITY - 0.1 * diffusion(1e45), np.ones(N)
    assert error(factors.solve(factors.system(large, unit), unit), large, unit) < 1e-5


def test_what_is_not_finite_is_not_called_solved():
    J = diffusion()
    J.J.data[0] = np.nan
    factors, unit = kept(), np.ones(N)
    with pytest.raises(RuntimeError, match="singular"):  # as SciPy's own factors
        factors.solve(factors.system(IDENTITY - 0.1 * J, unit), unit)


@pytest.mark.parametrize("name", STIFF)
def test_bdf_controls_errors_as_scipys_does(name):
    f, y0, end, rtol, atol = STIFF[name]
    jac = solvers.ivp_jacobian(f, 0.0, y0)
    exact = solve_ivp(f, (0.0, end), y0, method="Radau", jac=jac, rtol=1e-10, atol=1e-13).y[:, -1]
    tolerances = {"jac": jac, "rtol": rtol, "atol": atol}
    scipys, ours = (solve_ivp(f, (0.0, end), y0, method=m, **tolerances) for m in (scipy.integrate.BDF, solvers.BDF))
    assert ours.success
    errors = [np.max(np.abs(run.y[:, -1] - exact) / (atol + rtol * np.abs(exact))) for run in (scipys, ours)]
    assert errors[1] < 2.0 * errors[0] + 1.0
    assert ours.t.size < 1.1 * scipys.t.size
    assert ours.nlu < 0.6 * scipys.nlu


def test_bdf_in_the_complex_plane():
    turn = sp.csc_array(1j * np.diag(np.arange(1.0, 6.0)))
    run = solve_ivp(lambda t, y: turn @ y, (0.0, 2.0), np.ones(5, complex), method=solvers.BDF, jac=turn, rtol=1e-8)
    np.testing.assert_allclose(run.y[:, -1], np.exp(2j * np.arange(1.0, 6.0)), atol=1e-4)


def test_bdf_backwards_in_time():
    jac = solvers.ivp_jacobian(lambda t, y: 50.0 * (y - np.roll(y, 1)), 0.0, np.ones(8))
    y0 = np.sin(np.arange(8.0))
    ours = solve_ivp(lambda t, y: 50.0 * (y - np.roll(y, 1)), (0.0, -1.0), y0, method=solvers.BDF, jac=jac, rtol=1e-6).y
    np.testing.assert_allclose(ours[:, -1], y0.mean(), rtol=1e-4)


@pytest.mark.parametrize("order", ["COLAMD", "MMD_AT_PLUS_A"])
def test_superlu_keeps_its_order(order):
    rng = np.random.default_rng(0)
    factor = SuperLU(order)
    pattern = sp.random_array((N, N), density=0.1, random_state=rng) + sp.eye_array(N)
    for dtype, tolerance in ((np.float64, 1e-9), (np.complex128, 1e-9), (np.float32, 1e-2), (np.float64, 1e-9)):
        A = sp.csc_array(pattern.astype(dtype))
        A.data = (A.data * rng.uniform(0.5, 2.0, A.nnz)).astype(dtype)
        b = rng.standard_normal(N)
        np.testing.assert_allclose(A @ factor(A)(b), b, atol=tolerance)
