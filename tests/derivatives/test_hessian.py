"""Hessians: values in every mode, exact symmetry, triangles, shared work, passes of the standard problems."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import coloring
import sparsead as sad

MODES = ["star", "acyclic", "column", "direct", "auto", "compressed"]
A = scipy.sparse.random_array((14, 12), density=0.25, random_state=np.random.default_rng(3), format="csr")
X = np.linspace(0.3, 1.7, 12)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def layered(x):
    return np.sum(np.exp(A @ np.sin(x)) ** 2) + x[3]


def dense(x):
    return np.sqrt(1.0 + np.sum(x * x)) * x[0]


def arrowhead(x):
    return np.sum((x[:-1] ** 2 + x[-1] ** 2) ** 2 - 4.0 * x[:-1] + 3.0)


def wood(x):
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return np.sum(
        100.0 * (b - a**2) ** 2 + (1 - a) ** 2 + 90.0 * (d - c**2) ** 2 + (1 - c) ** 2
        + 10.0 * (b + d - 2.0) ** 2 + 0.1 * (b - d) ** 2
    )  # fmt: skip


def broyden_tridiagonal(x):
    padded = np.concatenate([[0.0], x, [0.0]])
    return np.sum(((3.0 - 2.0 * x) * x - padded[:-2] - 2.0 * padded[2:] + 1.0) ** 2)


def elements_of_eight(x):
    cells = np.arange(5)[:, None] + np.arange(8)
    e = x[cells]
    return np.sum(np.sin(np.sum(e, axis=1)) * e[:, 0] * e[:, 7])


def linear(x):
    return 3.0 * x[2] - np.sum(x)


PROBLEMS = [rosenbrock, layered, dense, arrowhead, wood, broyden_tridiagonal, elements_of_eight, linear]


def differences(f, x, h=1e-5):
    columns = [(np.ravel(f(x + h * e)) - np.ravel(f(x - h * e))) / (2 * h) for e in np.eye(x.size)]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", PROBLEMS)
def test_values_symmetry_and_shared_work(f, mode):
    hess = sad.hessian(f, X, mode=mode)
    H = hess(X)
    dense_H = H.toarray()
    np.testing.assert_allclose(hess.gradient(X), differences(f, X)[0], rtol=1e-6, atol=1e-6)
    expected = differences(hess.gradient, X)
    np.testing.assert_allclose(dense_H, expected, rtol=1e-6, atol=1e-6 * max(1.0, abs(expected).max()))
    np.testing.assert_array_equal(dense_H, dense_H.T)
    for name, part in (("lower", np.tril), ("upper", np.triu)):
        np.testing.assert_array_equal(hess(X, triangle=name).toarray(), part(dense_H))
    value, gradient, again = hess.value_gradient_and_hessian(X)
    assert value == pytest.approx(f(X), rel=1e-14)
    np.testing.assert_allclose(gradient, hess.gradient(X), rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(again.toarray(), dense_H)
    v = np.cos(np.arange(12.0))
    np.testing.assert_allclose(hess.hvp(X, v), H @ v, rtol=1e-10, atol=1e-10 * abs(dense_H).max(initial=1.0))
    np.testing.assert_allclose(hess.linear_operator(X) @ v, H @ v, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("f", PROBLEMS)
def test_modes_agree_to_rounding(f):
    first, *others = (sad.hessian(f, X, mode=mode)(X).toarray() for mode in MODES)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-10, atol=1e-11 * abs(first).max(initial=1.0))


def test_agrees_with_the_hessian_of_scipy():
    H = sad.hessian(rosenbrock, X)(X).toarray()
    np.testing.assert_allclose(H, scipy.optimize.rosen_hess(X), rtol=1e-13)


@pytest.mark.parametrize(("mode", "passes"), [("star", 3), ("acyclic", 2), ("column", 3), ("direct", 0)])
def test_chain_passes_are_optimal(mode, passes):
    hess = sad.hessian(rosenbrock, np.ones(1000), mode=mode)
    assert hess.passes == {"hvp": passes}
    assert hess.coloring is None or (hess.coloring.is_optimal and "optimal" in str(hess))


def test_none_is_one_pass_per_column():
    hess = sad.hessian(rosenbrock, X, coloring="none")
    assert hess.passes == {"hvp": 12}
    np.testing.assert_allclose(hess(X).toarray(), scipy.optimize.rosen_hess(X), rtol=1e-13)


def test_given_coloring_is_used():
    pattern = sad.hessian_pattern(rosenbrock, X)
    ready = coloring.color(pattern, structure="symmetric", decompression="substitution", order="natural")
    hess = sad.hessian(rosenbrock, X, coloring=ready)
    assert hess.mode == "acyclic"
    assert hess.coloring is ready
    np.testing.assert_allclose(hess(X).toarray(), scipy.optimize.rosen_hess(X), rtol=1e-10)


def test_out_is_refilled_and_triangles_refuse_it():
    hess = sad.hessian(rosenbrock, X)
    H = hess(X)
    H.data[:] = np.nan
    assert hess(2 * X, out=H) is H
    np.testing.assert_allclose(H.toarray(), scipy.optimize.rosen_hess(2 * X), rtol=1e-13)
    with pytest.raises(sad.InputError, match="out= goes with triangle='full'"):
        hess(X, out=H, triangle="lower")
    with pytest.raises(sad.InputError, match="unknown triangle 'left'"):
        hess(X, triangle="left")


def test_linear_terms_and_separable_terms_leave_no_other_entries():
    assert sad.hessian_pattern(linear, X).nnz == 0
    separable = sad.hessian_pattern(lambda x: np.sum(np.sin(x)) + 5.0 * x[0], X)
    np.testing.assert_array_equal(separable.to_scipy().toarray(), np.eye(12))
    quotient = sad.hessian_pattern(lambda x: x[0] / x[1], X).to_scipy().toarray()
    assert quotient[0, 0] == 0.0  # the numerator of a quotient is linear
    assert quotient[:2, :2].sum() == 3.0


def test_array_function_is_refused():
    with pytest.raises(sad.InputError, match=r"returned an array of shape \(12,\).*use sparsead.jacobian"):
        sad.hessian(np.sin, X)
    with pytest.raises(sad.InputError, match="unknown mode 'stars'"):
        sad.hessian(rosenbrock, X, mode="stars")


def test_scalar_function_has_a_row_as_jacobian():
    jac = sad.jacobian(rosenbrock, X)
    assert jac.shape == (1, 12)
    np.testing.assert_allclose(jac(X).toarray()[0], scipy.optimize.rosen_der(X), rtol=1e-13)


def test_multidimensional_argument_and_runtime_arguments():
    def f(u, weight):
        return weight * np.sum((u[1:] - u[:-1]) ** 4)

    u = X.reshape(4, 3)
    hess = sad.hessian(f, u, 2.0)
    assert hess.shape == (12, 12)
    assert hess.gradient(u, 2.0).shape == (4, 3)
    np.testing.assert_allclose(hess(u, 6.0).toarray(), 3.0 * hess(u, 2.0).toarray(), rtol=1e-14)


# -- gradients and Lagrangians --------------------------------------------------------------------------------------
@pytest.mark.parametrize("f", PROBLEMS)
def test_prepared_gradient(f):
    grad = sad.gradient(f, X)
    value, gradient = grad.value_and_gradient(X)
    assert value == pytest.approx(f(X), rel=1e-14)
    np.testing.assert_allclose(grad(X), gradient, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(gradient, differences(f, X)[0], rtol=1e-6, atol=1e-6)


def test_gradient_of_a_constant_is_zero():
    np.testing.assert_array_equal(sad.gradient(lambda x: 3.0, X)(X), np.zeros(12))
    assert sad.hessian(lambda x: 3.0, X)(X).nnz == 0


def test_lagrangian_has_one_pattern_for_the_union():
    def constraints(x):
        return np.stack([x[0] * x[11], np.sum(x[2:4] ** 2)])

    lagrangian = sad.lagrangian_hessian(rosenbrock, constraints, X)
    multipliers = np.array([3.0, -2.0])
    expected = 0.5 * scipy.optimize.rosen_hess(X)
    expected[0, 11] += 3.0
    expected[11, 0] += 3.0
    expected[2, 2] -= 4.0
    expected[3, 3] -= 4.0
    H = lagrangian(X, multipliers, sigma=0.5)
    np.testing.assert_allclose(H.toarray(), expected, rtol=1e-12)
    assert lagrangian(X, np.zeros(2), sigma=0.0).nnz == H.nnz == lagrangian.pattern.nnz
    lower = lagrangian.values(X, multipliers, sigma=0.5, order="lower")
    np.testing.assert_array_equal(lower, lagrangian(X, multipliers, sigma=0.5, triangle="lower").data)
    with pytest.raises(sad.InputError, match="expected 2 multipliers"):
        lagrangian(X, np.ones(3))
