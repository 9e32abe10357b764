"""Newton's method: converges fast where it should, and says what is wrong where it does not."""

import sys

import numpy as np
import pytest
import scipy.sparse.linalg

import sparsead as sad
from sparsead import solvers
from sparsead.problems import bratu, cavity


def residuals(found):
    return [iteration.residual for iteration in found.history]


@pytest.mark.parametrize("globalize", ["line-search", "dogleg", None])
@pytest.mark.parametrize("linear_solver", ["superlu", scipy.sparse.linalg.factorized, "krylov"])
def test_bratu_converges(linear_solver, globalize):
    problem = bratu(6)
    found = solvers.newton(problem.f, problem.x0, *problem.args, linear_solver=linear_solver, globalize=globalize)
    assert found.success, found
    assert found.x.shape == (6, 6, 6)
    assert np.abs(problem.f(found.x, *problem.args)).max() < 1e-7
    assert found.nit <= 8


def test_convergence_is_quadratic():
    problem = bratu(6)
    found = solvers.newton(problem.f, problem.x0, *problem.args, ftol=1e-12)
    r = residuals(found)
    assert all(r[k + 1] < 0.1 * r[k] ** 2 for k in range(1, found.nit - 1))


def test_pardiso_finds_the_same_solution():
    pytest.importorskip("pypardiso", reason="pypardiso is not installed (pip install pypardiso)")
    problem = bratu(6)
    found = solvers.newton(problem.f, problem.x0, *problem.args, linear_solver="pardiso")
    expected = solvers.newton(problem.f, problem.x0, *problem.args)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-10)


def test_a_prepared_jacobian_serves_a_family(monkeypatch):
    """Continuation in the strength of the reaction: one preparation."""
    problem = bratu(5)
    found = solvers.newton(problem.f, problem.x0, 1.0)
    monkeypatch.setattr(sys.modules["sparsead.solvers.newton"], "jacobian", None)
    heights = []
    for strength in (2.0, 4.0, 6.0, 8.0):
        found = solvers.newton(problem.f, found.x, strength, jac=found.jac)
        assert found.success
        heights.append(found.x.max())
    assert np.all(np.diff(heights) > 0)


@pytest.mark.parametrize("globalize", ["line-search", "dogleg"])
def test_globalization_saves_a_far_start(globalize):
    """Newton's method diverges on arctan from beyond 1.39."""

    def f(x):
        return np.arctan(x) + 0.01 * (x - np.roll(x, 1))

    found = solvers.newton(f, np.full(10, 20.0), globalize=globalize)
    assert found.success
    assert any(iteration.share < 1.0 for iteration in found.history[1:])
    lost = solvers.newton(f, np.full(10, 20.0), globalize=None, maxiter=10)
    assert not lost.success
    assert np.abs(lost.fun).max() == min(residuals(lost))


def test_steps_stay_where_f_is_defined():
    found = solvers.newton(lambda x: np.log(x) + x - 5.0, np.full(3, 100.0))
    assert found.success
    np.testing.assert_allclose(np.log(found.x) + found.x, 5.0)


def test_starting_at_the_solution():
    problem = bratu(5)
    first = solvers.newton(problem.f, problem.x0, *problem.args)
    again = solvers.newton(problem.f, first.x, *problem.args, jac=first.jac)
    assert again.success, again
    assert again.nit <= 2


def test_linear_equations_take_one_step():
    assert solvers.newton(lambda x: 3.0 * x - np.roll(x, 1) - 4.0, np.zeros(5)).nit == 1


def test_structurally_singular():
    def f(x):
        return np.stack([x[0, 0] - 1.0, x[0, 0] ** 2, x[1, 0] * x[1, 1], x[1, 1]])

    found = solvers.newton(f, np.ones((2, 2)))
    assert not found.success
    assert found.status == 2
    assert "structurally singular" in found.message
    assert "x[0, 1]" in found.message
    assert "appears in 0 equations" in found.message


def test_singular_where_entries_vanish():
    found = solvers.newton(lambda x: np.stack([x[0] - 1.0, x[1] ** 2 - 4.0, x[2] - x[0]]), np.zeros(3))
    assert found.status == 2
    assert "f[1]" in found.message
    assert "x[1]" in found.message
    np.testing.assert_array_equal(found.x, 0.0)


def test_numerically_singular():
    def f(x):  # the last two equations say the same of x[2] and x[3]
        return np.stack([x[0] - 1.0, x[1] + x[0], x[2] + x[3] - 1.0, 2.0 * (x[2] + x[3]) - 3.0])

    found = solvers.newton(f, np.zeros(4))
    assert found.status == 2
    assert "numerically singular" in found.message
    assert any(f"f[{i}]" in found.message for i in (2, 3))
    assert any(f"x[{j}]" in found.message for j in (2, 3))


@pytest.mark.parametrize("linear_solver", ["krylov", "pardiso", scipy.sparse.linalg.factorized])
def test_singular_for_other_linear_solvers(linear_solver):
    """PARDISO perturbs pivots that vanish, and says nothing."""
    if linear_solver == "pardiso":
        pytest.importorskip("pypardiso", reason="pypardiso is not installed (pip install pypardiso)")

    def f(x):
        return np.stack([x[0] - 1.0, x[1] + x[0], x[2] + x[3] - 1.0, 2.0 * (x[2] + x[3]) - 3.0])

    found = solvers.newton(f, np.zeros(4), linear_solver=linear_solver)
    assert found.status == 2
    assert np.abs(found.x).max() < 10.0


def test_a_solution_that_is_none_is_not_taken():
    found = solvers.newton(lambda x: x**2 - 4.0, np.ones(3), linear_solver=lambda A: lambda b: 0.0 * b)
    assert not found.success
    assert found.status == 2


def test_not_finite_at_the_start():
    found = solvers.newton(lambda x: np.log(x), np.array([1.0, 2.0, -1.0, -2.0]))
    assert found.status == 4
    assert found.message == "f[2] = nan at x0 (2 elements not finite)"


def test_derivative_not_finite():
    found = solvers.newton(lambda x: np.sqrt(np.abs(x)) - 1.0, np.array([4.0, 0.0]))
    assert found.status in (2, 4)
    assert "f[1]" in found.message


@pytest.mark.parametrize("globalize", ["line-search", "dogleg"])
def test_no_root(globalize):
    found = solvers.newton(lambda x: x**2 + 1.0, np.full(3, 0.7), globalize=globalize)
    assert not found.success
    assert found.status in (1, 2, 3)
    assert np.abs(found.fun).max() < 1.49


def test_too_many_iterations():
    found = solvers.newton(lambda x: x**3, np.ones(2), maxiter=3, ftol=1e-14)
    assert found.status == 1
    assert found.nit == 3


def test_report_and_callback():
    seen = []
    found = solvers.newton(lambda x: x**2 - 4.0, np.ones(2), callback=seen.append)
    assert seen == found.history
    lines = str(found).splitlines()
    assert len(lines) == found.nit + 3
    page = found._repr_html_()
    assert found.message in page and page.count("<tr") == found.nit + 2
    assert lines[-1].startswith("converged: ")


def test_options_are_checked():
    with pytest.raises(sad.InputError, match="as many equations as unknowns, got 2 and 3"):
        solvers.newton(lambda x: x[1:], np.ones(3))
    with pytest.raises(sad.InputError, match="unknown linear solver 'lu'"):
        solvers.newton(lambda x: x, np.ones(3), linear_solver="lu")
    with pytest.raises(sad.InputError, match="unknown globalize 'wolfe'"):
        solvers.newton(lambda x: x, np.ones(3), globalize="wolfe")
    unfit = {"jac": [3, True, "2-point", np.diag], "maxiter": [-1, 2.5, None], "callback": ["print", 3]}
    unfit |= {name: [-1.0, np.nan, "a", None, [0.1, 0.1]] for name in ("ftol", "xtol", "atol")}
    for option, value in ((option, value) for option, values in unfit.items() for value in values):
        for points in ({}, {"batch": 0}):
            with pytest.raises(sad.InputError, match=f"^{option} must be .*, got"):
                solvers.newton(lambda x: x, np.ones((3, 1)), **{option: value}, **points)


@pytest.mark.parametrize("globalize", ["line-search", "dogleg"])
@pytest.mark.parametrize("linear_solver", ["superlu", "krylov"])
def test_cavity_by_continuation(linear_solver, globalize):
    """GMRES needs a better incomplete LU here than the first one."""
    problem = cavity(15)
    found = solvers.newton(problem.f, problem.x0, 100.0, linear_solver=linear_solver, globalize=globalize)
    found = solvers.newton(problem.f, found.x, 200.0, jac=found.jac, linear_solver=linear_solver, globalize=globalize)
    assert found.success, found
    assert found.nit <= 10


def test_cavity_is_that_of_the_literature():
    """Ghia, Ghia and Shin give -0.103423 on a grid with 127 inner points; the scheme is of second order."""
    coarse, fine = (solvers.newton(cavity(N).f, cavity(N).x0, 100.0).x[0].min() for N in (31, 63))
    assert fine + (fine - coarse) / 3.0 == pytest.approx(-0.1035, abs=2e-4)


def test_stalling_ends_early():
    """Reynolds number 5000 from rest, on a coarse grid: the line search creeps."""
    problem = cavity(15)
    found = solvers.newton(problem.f, problem.x0, 5000.0, maxiter=200)
    assert found.status == 3
    assert found.nit < 100
    assert "start closer" in found.message


@pytest.mark.parametrize("linear_solver", ["superlu", "krylov"])
def test_a_function_that_cannot_be_traced(linear_solver):
    def f(x):
        return np.array([float(a) ** 3 - 8.0 for a in x]) + 0.1 * (x - np.roll(x, 1))

    jac = sad.jacobian(f, np.ones(6), method="finite-difference")
    found = solvers.newton(f, np.ones(6), jac=jac, linear_solver=linear_solver)
    assert found.success, found
    np.testing.assert_allclose(found.x, 2.0, rtol=1e-8)


@pytest.mark.parametrize("linear_solver", ["superlu", "krylov"])
def test_states_that_are_containers(linear_solver):
    def pair(state, target):
        return {"sum": state["u"] + state["v"] - 3.0, "product": [state["u"] * state["v"] - target]}

    start = {"u": np.zeros(3), "v": np.linspace(3.0, 4.0, 3)}
    found = solvers.newton(pair, start, 2.0, linear_solver=linear_solver)
    assert found.success, found
    np.testing.assert_allclose(found.x["u"], 1.0, rtol=1e-8)
    np.testing.assert_allclose(found.x["v"], 2.0, rtol=1e-8)
    assert found.fun["product"][0].shape == (3,)
    again = solvers.newton(pair, found.x, 0.0, jac=found.jac, linear_solver=linear_solver)
    np.testing.assert_allclose(again.x["u"], 0.0, atol=1e-8)
    np.testing.assert_array_equal(start["u"], 0.0)
