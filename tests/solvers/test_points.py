"""Newton's method at many points: each ends where a run of its own ends."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

import sparsead as sad
from sparsead import solvers
from sparsead.errors import InputError
from sparsead.solvers.points import CONVERGED, NOT_FINITE, SINGULAR, STUCK, TOO_MANY


def chain(x, load):
    return 2.0 * x - np.roll(x, 1) - np.roll(x, -1) + x**3 - load


def kinetics(y, old, h, k):
    slow, fast, square = k[0] * y[0], k[1] * y[1] * y[2], k[2] * y[1] ** 2
    return y - old - h * np.stack([fast - slow, slow - fast - square, square])


LOADS = np.random.default_rng(0).uniform(1.0, 100.0, 21)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("globalize", ["line-search", None])
def test_each_point_ends_where_a_run_of_its_own_ends(axis, format, globalize):
    jac = sad.jacobian(chain, np.ones(30), 8.0, format=format)
    starts = np.random.default_rng(1).uniform(0.5, 2.0, (21, 30))
    given = starts if axis == 0 else np.ascontiguousarray(starts.T)
    found = solvers.newton(chain, given, LOADS, jac=jac, batch=axis, globalize=globalize)
    assert found.success.all()
    assert "21 of 21" in str(found)
    points = np.moveaxis(found.x, axis, 0)
    for point, load, start, steps in zip(points, LOADS, starts, found.nit, strict=True):
        alone = solvers.newton(chain, start, load, jac=jac, globalize=globalize)
        np.testing.assert_allclose(point, alone.x, rtol=1e-7)
        assert steps == alone.nit
    residuals = [chain(x, load) for x, load in zip(points, LOADS, strict=True)]
    np.testing.assert_allclose(np.moveaxis(found.fun, axis, 0), residuals, rtol=0, atol=1e-12)


def test_an_implicit_step_of_stiff_kinetics():
    rng = np.random.default_rng(2)
    old = rng.uniform(0.0, 1.0, (1000, 3)) * [1.0, 1e-4, 1.0]
    rates = np.array([0.04, 1e4, 3e7])
    h = rng.uniform(1e-3, 1e-1, 1000)
    jac = sad.jacobian(kinetics, old[0], old[0], h[0], rates)
    found = solvers.newton(kinetics, old, old, h, rates, jac=jac, batch=0, ftol=1e-13, atol=1e-13)
    assert found.success.all()
    for k in range(0, 1000, 111):
        expected = scipy.optimize.root(kinetics, old[k], args=(old[k], h[k], rates), tol=1e-13)
        np.testing.assert_allclose(found.x[k], expected.x, rtol=1e-8, atol=1e-12)


def test_blocks_of_points_change_nothing(monkeypatch):
    jac = sad.jacobian(chain, np.ones(30), 8.0)
    starts = np.random.default_rng(1).uniform(0.5, 2.0, (21, 30))
    found = [solvers.newton(chain, starts, LOADS, jac=jac, batch=0)]
    monkeypatch.setattr("sparsead.solvers.points.CACHE", 1)  # eight points at a time
    found.append(solvers.newton(chain, starts, LOADS, jac=jac, batch=0))
    np.testing.assert_array_equal(found[0].x, found[1].x)
    np.testing.assert_array_equal(found[0].nit, found[1].nit)


def test_what_fails_is_told_point_by_point():
    def f(x, p):
        return np.stack([x[0] ** 2 + p, x[1] * x[0] - 1.0])

    starts = np.array([[2.0, 1.0], [2.0, 1.0], [0.0, 1.0], [np.nan, 1.0], [1e-3, 1.0]])
    jac = sad.jacobian(f, starts[0], -1.0)
    found = solvers.newton(f, starts, np.array([-1.0, 1.0, -1.0, -1.0, -1.0]), jac=jac, batch=0, maxiter=9)
    assert found.status[0] == CONVERGED
    assert found.status[1] in (STUCK, TOO_MANY)
    assert list(found.status[2:4]) == [SINGULAR, NOT_FINITE]
    assert list(found.success) == [True, False, False, False, found.status[4] == CONVERGED]
    assert "point 2" in found.message
    assert "point 3" in found.message
    np.testing.assert_allclose(found.x[0], [1.0, 1.0])


def test_equations_without_unknowns_are_named():
    found = solvers.newton(lambda x: np.stack([x[0] ** 2 + 1.0, x[0] - 1.0]), np.ones((3, 2)), batch=0)
    assert (found.status == SINGULAR).all()
    assert "unknown x[1]" in found.message


def test_iterations_end():
    found = solvers.newton(lambda x: np.cosh(x) - 1.0, np.full((4, 2), 3.0), batch=0, maxiter=3)
    assert (found.status == TOO_MANY).all()
    assert (found.nit == 3).all()


@pytest.mark.parametrize(
    ("starts", "args", "options", "words"),
    [
        (np.ones((3, 4)), (1.0,), {}, "pass jac="),
        (np.ones((0, 4)), (), {}, "no points"),
        (np.ones((3, 4)), (), {"batch": 1}, "batch is 0 or -1"),
        (np.ones((3, 4)), (), {"linear_solver": "krylov"}, "linear_solver="),
        (np.ones((3, 4)), (), {"globalize": "dogleg"}, "globalize"),
    ],
)
def test_what_is_not_offered_is_refused(starts, args, options, words):
    with pytest.raises(InputError, match=words):
        solvers.newton(lambda x, *p: x**2 - 1.0, starts, *args, **{"batch": 0, **options})


def test_parameters_in_a_dict_may_differ_from_point_to_point():
    def powers(x, p):
        return p["scale"] * x ** p["n"] - p["target"]

    jac = sad.jacobian(powers, np.ones(2), {"scale": 1.0, "n": 3, "target": np.ones(2)})
    scale, target = np.linspace(1.0, 2.0, 20), np.linspace(0.5, 4.0, 40).reshape(20, 2)
    given = {"scale": scale, "n": 3, "target": target}
    found = solvers.newton(powers, np.ones((20, 2)), given, jac=jac, batch=0, ftol=1e-13, atol=1e-13)
    np.testing.assert_allclose(found.x, np.cbrt(target / scale[:, None]), rtol=1e-12)
    with pytest.raises(InputError, match="was fixed"):
        solvers.newton(powers, np.ones((20, 2)), given | {"n": 2}, jac=jac, batch=0)
    with pytest.raises(InputError, match=r"argument 1\.target has shape"):
        solvers.newton(powers, np.ones((20, 2)), given | {"target": np.ones((3, 2))}, jac=jac, batch=0)


def test_arguments_with_different_numbers_of_points_are_refused():
    jac = sad.jacobian(chain, np.ones(4), 1.0)
    with pytest.raises(InputError, match="as many points as x0"):
        solvers.newton(chain, np.ones((3, 4)), np.ones(2), jac=jac, batch=0)
    with pytest.raises(InputError, match="x0 has shape"):
        solvers.newton(chain, np.ones((3, 5)), 1.0, jac=jac, batch=0)
    with pytest.raises(InputError, match="as many equations as unknowns"):
        solvers.newton(None, np.ones((2, 3)), jac=sad.jacobian(lambda x: x[:2], np.ones(3)), batch=0)
