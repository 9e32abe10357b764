"""The adapter for Ipopt: structures and values, and a real run where cyipopt is installed."""

import numpy as np
import pytest

import sparsead as sad
from sparsead import solvers


def objective(x):
    return np.sum((x[..., 1:] - x[..., :-1] ** 2) ** 2)


def balance(x):
    return x[0] * x[1] - 1.0


def test_values_follow_the_structures():
    x0 = np.random.default_rng(0).random((2, 5))
    v = np.linspace(1.0, 2.0, 5)
    nlp = solvers.IpoptProblem(objective, x0, balance)
    assert (nlp.n, nlp.m) == (10, 5)
    J = np.zeros((nlp.m, nlp.n))
    J[nlp.jacobianstructure()] = nlp.jacobian(x0.ravel())
    np.testing.assert_array_equal(J, sad.jacobian(balance, x0)(x0).toarray())
    rows, cols = nlp.hessianstructure()
    assert np.all(rows >= cols)
    H = np.zeros((nlp.n, nlp.n))
    H[rows, cols] = nlp.hessian(x0.ravel(), v, 0.5)
    full = sad.lagrangian_hessian(objective, balance, x0)(x0, v, sigma=0.5).toarray()
    np.testing.assert_array_equal(H, np.tril(full))


def test_unknowns_and_constraints_may_have_names():
    x0, v = np.random.default_rng(0).random(6), np.linspace(1.0, 2.0, 4)
    named = solvers.IpoptProblem(
        lambda state: objective(state["u"]) * state["p"],
        {"u": x0[:5], "p": x0[5].item()},
        lambda state: {"bends": state["u"][::2] ** 2 * state["p"], "sum": [np.sum(state["u"])]},
    )
    flat = solvers.IpoptProblem(
        lambda x: objective(x[:5]) * x[5], x0, lambda x: np.append(x[:5:2] ** 2 * x[5], np.sum(x[:5]))
    )
    for name, given in (
        ("objective", ()),
        ("gradient", ()),
        ("constraints", ()),
        ("jacobian", ()),
        ("hessian", (v, 0.5)),
    ):
        np.testing.assert_allclose(getattr(named, name)(x0, *given), getattr(flat, name)(x0, *given), rtol=1e-14)
    constraint = solvers.nonlinear_constraint(lambda x: {"first": x[1:] ** 2, "then": x[:3]}, x0, 0.0, 1.0)
    np.testing.assert_array_equal(constraint.fun(x0), np.append(x0[1:] ** 2, x0[:3]))
    np.testing.assert_array_equal(constraint.hess(x0, np.arange(8.0)).diagonal(), [0, 0, 2, 4, 6, 8])


def test_the_functions_themselves_are_not_called_any_more():
    calls = []

    def f(x, p):
        calls.append(1)
        return objective(x) * p

    def c(x, p):
        calls.append(1)
        return balance(x) + p

    x0 = np.random.default_rng(0).random((2, 5))
    nlp = solvers.IpoptProblem(f, x0, c, 2.0)
    before = len(calls)
    x = x0.ravel() + 0.1
    assert nlp.objective(x) == pytest.approx(2.0 * objective(x.reshape(2, 5)), rel=1e-14)
    assert isinstance(nlp.objective(x), float)
    np.testing.assert_allclose(nlp.constraints(x), balance(x.reshape(2, 5)) + 2.0, rtol=1e-14)
    nlp.gradient(x), nlp.jacobian(x), nlp.hessian(x, np.ones(5), 1.0)
    assert len(calls) == before
    assert solvers.IpoptProblem(objective, x0).constraints(x).shape == (0,)


def test_structure_stays_at_zero():
    nlp = solvers.IpoptProblem(objective, np.ones((2, 5)), balance)
    zero = np.zeros(10)
    assert nlp.jacobian(zero).size == nlp.jacobianstructure()[0].size == 10
    assert nlp.hessian(zero, np.zeros(5), 0.0).size == nlp.hessianstructure()[0].size


def test_ipopt_finds_the_optimum():
    """Problem 71 of Hock and Schittkowski (1981), known minimum 17.0140173."""
    pytest.importorskip("cyipopt", reason="cyipopt is not installed (pip install cyipopt-wheels)")

    def f(x):
        return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]

    def c(x):
        return np.stack([np.prod(x), np.sum(x**2)])

    nlp = solvers.IpoptProblem(f, np.ones(4), c)
    problem = nlp.problem(1.0, 5.0, [25.0, 40.0], [np.inf, 40.0])
    problem.add_option("print_level", 0)
    problem.add_option("derivative_test", "second-order")
    x, info = problem.solve(np.array([1.0, 5.0, 5.0, 1.0]))
    assert info["status"] == 0
    assert info["obj_val"] == pytest.approx(17.0140173, abs=1e-6)
    np.testing.assert_allclose(x, [1.0, 4.7429994, 3.8211503, 1.3794082], atol=1e-5)


def test_ipopt_without_constraints():
    pytest.importorskip("cyipopt", reason="cyipopt is not installed (pip install cyipopt-wheels)")
    nlp = solvers.IpoptProblem(lambda x, a: np.sum((x - a) ** 2 + (x - a) ** 4), np.zeros(5), None, 3.0)
    problem = nlp.problem()
    problem.add_option("print_level", 0)
    x, info = problem.solve(np.zeros(5))
    assert info["status"] == 0
    np.testing.assert_allclose(x, 3.0, atol=1e-6)


def test_minimize_ipopt_takes_prepared_matrices():
    """It reads the structure once, at x0 = 0 here, and values alone from then on."""
    cyipopt = pytest.importorskip("cyipopt", reason="cyipopt is not installed (pip install cyipopt-wheels)")

    def f(x):
        return np.sum((x - 2.0) ** 2)

    def c(x):
        return 1.0 - x[::2] ** 2 - x[1::2] ** 2

    x0 = np.zeros(12)
    hess, jac = sad.hessian(f, x0), sad.jacobian(c, x0)
    curvature = sad.hessian(lambda x, v: np.sum(v * c(x)), x0, np.ones(6))
    discs = {
        "type": "ineq", "fun": c,
        "jac": lambda x: jac(x).tocoo(), "hess": lambda x, v: curvature(x, v).tocoo(),
    }  # fmt: skip
    found = cyipopt.minimize_ipopt(
        f, x0, jac=hess.gradient, hess=lambda x: hess(x).tocoo(), constraints=[discs], tol=1e-9
    )
    assert found.success
    np.testing.assert_allclose(found.x, np.sqrt(0.5), atol=1e-6)
