"""Operations that are not traced: values, every mode, patterns, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.interpolate import CubicSpline
from scipy.sparse.linalg import splu

import sparsead as sad
from sparsead.extend import operation

KNOTS = np.linspace(-2.0, 4.0, 40)
SPLINE = CubicSpline(KNOTS, np.sin(KNOTS))
SLOPE = SPLINE.derivative()
A = scipy.sparse.csc_array(scipy.sparse.diags([-1.0, 2.5, -1.0], [-1, 0, 1], shape=(12, 12)))
LU = splu(A)
X = np.linspace(0.2, 1.3, 12)

table = operation(
    SPLINE,
    name="table",
    jvp=lambda operands, tangents: SLOPE(operands[0]) * tangents[0],
    vjp=lambda operands, cotangent: (SLOPE(operands[0]) * cotangent,),
)
solve = operation(
    LU.solve,
    name="solve",
    jvp=lambda operands, tangents: LU.solve(tangents[0]),
    vjp=lambda operands, cotangent: (LU.solve(cotangent, trans="T"),),
    pattern="dense",
    linear=True,
)


def central(f, x, h=1e-6):
    columns = []
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = h
        columns.append((np.ravel(f(x + step)) - np.ravel(f(x - step))) / (2 * h))
    return np.stack(columns, axis=1)


def with_table(x):
    return table(np.roll(x, 1) * x)[2:] * x[:-2] + x[2:] ** 2


def with_solve(x):
    return solve(np.sin(x) * x[::-1]) ** 2


def twice(x):
    return table(solve(x**2)) - x


def grouped(a, b):
    return a[::2] * b + a[1::2] ** 2


pairwise = operation(
    grouped,
    jvp=lambda ops, t: t[0][::2] * ops[1] + ops[0][::2] * t[1] + 2 * ops[0][1::2] * t[0][1::2],
    pattern=[scipy.sparse.kron(scipy.sparse.eye(6), np.ones((1, 2))), "elementwise"],
    shape=lambda a, b: b,
)


def with_two_operands(x):
    return pairwise(np.exp(x), x[:6] * x[6:])


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional", "auto"])
@pytest.mark.parametrize("f", [with_table, with_solve, twice, with_two_operands])
def test_every_mode_agrees_with_differences(f, mode):
    jac = sad.jacobian(f, X, mode=mode)
    J = jac(X).toarray()
    np.testing.assert_allclose(J, central(f, X), atol=1e-7)
    y, again = jac.value_and_jacobian(X)
    np.testing.assert_allclose(y, f(X), rtol=1e-14)
    np.testing.assert_array_equal(again.toarray(), J)
    v, w = np.cos(np.arange(12.0)), np.sin(np.arange(float(J.shape[0])))
    np.testing.assert_allclose(jac.jvp(X, v), J @ v, atol=1e-12)
    np.testing.assert_allclose(jac.vjp(X, w), J.T @ w, atol=1e-12)


@pytest.mark.parametrize("backend", ["python", "numba", "llvm"])
def test_back_ends_agree(backend):
    J = sad.jacobian(twice, X, backend=backend)(X)
    np.testing.assert_allclose(J.toarray(), central(twice, X), atol=1e-7)


def test_pattern_follows_the_declared_one():
    assert sad.jacobian_pattern(table, X).nnz == 12
    assert sad.jacobian_pattern(solve, X).nnz == 144
    rows = [{2 * i, 2 * i + 1, i, i + 6} for i in range(6)]
    assert sad.jacobian_pattern(with_two_operands, X).nnz == sum(map(len, rows))


def test_plain_arrays_go_straight_to_the_function():
    np.testing.assert_array_equal(table(X), SPLINE(X))


def test_linear_operation_has_a_hessian():
    def energy(x):
        return np.sum(solve(x**2) ** 2)

    hess = sad.hessian(energy, X)
    np.testing.assert_allclose(hess.gradient(X), central(energy, X)[0], atol=1e-7)
    np.testing.assert_allclose(hess(X).toarray(), central(hess.gradient, X), atol=1e-6)
    value, gradient, _ = hess.value_gradient_and_hessian(X)
    assert value == pytest.approx(energy(X))
    np.testing.assert_allclose(gradient, hess.gradient(X))
    assert sad.check(hess, X).passed


def test_gradient_works_without_second_derivatives_and_hessian_is_refused():
    def energy(x):
        return np.sum(table(x) ** 2)

    np.testing.assert_allclose(sad.gradient(energy, X)(X), 2 * SPLINE(X) * SLOPE(X))
    with pytest.raises(sad.UnsupportedOperationError, match="second derivative of table"):
        sad.hessian(energy, X)


def test_operations_that_are_not_whole_are_refused():
    with pytest.raises(sad.InputError, match="needs its derivative"):
        operation(np.sin)
    with pytest.raises(sad.InputError, match="unknown pattern 'banded'"):
        sad.jacobian(operation(np.sin, jvp=lambda o, t: np.cos(o[0]) * t[0], pattern="banded"), X)
    with pytest.raises(sad.InputError, match=r"pattern of sin has shape \(3, 3\); expected \(12, 12\)"):
        sad.jacobian(operation(np.sin, jvp=lambda o, t: np.cos(o[0]) * t[0], pattern=np.eye(3)), X)
    wrong = operation(lambda x: x[:3], jvp=lambda o, t: t[0], name="wrong")
    with pytest.raises(sad.InputError, match=r"wrong returned an array of shape \(3,\); expected \(12,\)"):
        sad.jacobian(wrong, X).value(X)


def test_wrong_derivative_is_found_by_check():
    halved = operation(np.sin, jvp=lambda operands, tangents: 0.5 * np.cos(operands[0]) * tangents[0], name="halved")
    with pytest.raises(sad.CheckFailed, match="its value is wrong"):
        sad.check(sad.jacobian(halved, X, check=False), X)
