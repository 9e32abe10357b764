"""What users hand in at the public calls: right, or refused; never a part of the truth."""

from __future__ import annotations

import numpy as np
import pytest

import coloring
import sparsead as sad
from sparsead.derivatives.stepping import METHODS

X = np.array([0.3, 0.5, 0.7])


def f(x):
    return np.array([x[0] * x[1], x[1] ** 2 + x[0], x[2] * x[0] + x[1]])


# -- colorings ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["ad", "central-difference"])
def test_symmetric_colorings_are_not_for_jacobians(method):
    pattern = coloring.SparsityPattern.from_scipy(sad.jacobian_pattern(lambda x: x * np.sum(x), X).to_scipy())
    colored = coloring.color(pattern, structure="symmetric")
    with pytest.raises(sad.InputError, match="coloring is for symmetric matrices"):
        sad.jacobian(lambda x: x**2 * np.sum(x), X, coloring=colored, pattern=pattern, method=method)
    assert sad.hessian(lambda x: np.sum(x) ** 3, X, coloring=colored)(X).nnz == 9


def test_row_colorings_are_not_for_hessians():
    pattern = sad.hessian_pattern(lambda x: np.sum(x[1:] * x[:-1]), X)
    with pytest.raises(sad.InputError, match="partition 'row'; expected 'column'"):
        sad.hessian(lambda x: np.sum(x[1:] * x[:-1]), X, coloring=coloring.color(pattern, partition="row"))


# -- out= ---------------------------------------------------------------------------------------------------------
def test_out_may_be_x_where_the_result_is_an_array():
    jac, x = sad.jacobian(f, X), X.copy()
    np.testing.assert_array_equal(jac.value(x, out=x), f(X))
    hess, x = sad.hessian(lambda x: np.sum(x**2 * x[::-1]), X), X.copy()
    expected = hess.gradient(X)
    np.testing.assert_array_equal(hess.gradient(x, out=x), expected)
    x, memory = X.copy(), np.zeros(6)
    memory[1:4] = X
    y, J = jac.value_and_jacobian(memory[1:4], out=(memory[2:5], None))
    np.testing.assert_array_equal(y, f(X))
    np.testing.assert_array_equal(J.data, jac(X).data)


def test_matrices_do_not_share_memory_with_arguments():
    jac = sad.jacobian(lambda x, w: f(x) * w, X, np.ones(3))
    J = jac(X, np.ones(3))
    for x, w in ((J.data[:3], np.ones(3)), (X, J.data[2:5])):
        with pytest.raises(sad.InputError, match="out shares memory with x or another argument"):
            jac(x, w, out=J)
        with pytest.raises(sad.InputError, match="out shares memory"):
            jac.values(x, w, out=J.data)
    with pytest.raises(sad.InputError, match="the two parts of out share memory"):
        jac.value_and_jacobian(X, np.ones(3), out=(J.data[:3], J))


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "out", [read_only(np.zeros(7)), np.zeros(8), np.zeros(7, np.float32), np.zeros(14)[::2], [0.0] * 7]
)
def test_values_need_room_that_can_be_written_to(out):
    with pytest.raises(sad.InputError, match=r"contiguous float64 array of shape \(7,\) .* that can be written to"):
        sad.jacobian(f, X).values(X, out=out)


def test_matrices_need_values_that_can_be_written_to():
    jac = sad.jacobian(f, X)
    J = jac(X)
    read_only(J.data)
    with pytest.raises(sad.InputError, match="out must be a float64 csr_array"):
        jac(X, out=J)
    short = jac(X)
    short.data = short.data[:4].copy()
    with pytest.raises(sad.InputError, match="out must be a float64 csr_array"):
        jac(X, out=short)


@pytest.mark.parametrize("v", [np.array([1j, 0, 0]), np.array(["a", "b", "c"])])
def test_directions_are_real(v):
    jac = sad.jacobian(f, X)
    for product in (jac.jvp, jac.vjp, sad.hessian(lambda x: np.sum(x**3), X).hvp):
        with pytest.raises(sad.InputError, match="expects a vector of real numbers"):
            product(X, v)


# -- functions that use memory again, or change what they get ------------------------------------------------------
BUFFER = np.zeros(3)


def same_buffer(x):
    if x.dtype.kind == "c":
        return x**2
    BUFFER[:] = x**2
    return BUFFER


def in_place(x):
    x *= x
    return x


def part_of_x(x):
    x[:] = x**2
    return x[:]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("g", [same_buffer, in_place, part_of_x])
def test_differences_of_functions_that_use_memory_again(g, method):
    x = X.copy()
    jac = sad.jacobian(g, x, method=method)
    assert jac.pattern.nnz == 3
    np.testing.assert_allclose(jac(x).diagonal(), 2 * X, rtol=1e-6)
    np.testing.assert_array_equal(x, X)
    y, J = jac.value_and_jacobian(x)
    np.testing.assert_allclose(y, X**2)
    np.testing.assert_allclose(J.diagonal(), 2 * X, rtol=1e-6)


@pytest.mark.parametrize("method", ["finite-difference", "central-difference"])
def test_single_precision_has_no_differences_at_the_usual_steps(method):
    def single(x):
        return (x**2).astype(np.float32)

    with pytest.raises(sad.InputError, match=r"single returned float32: differences .* would have no digits"):
        sad.jacobian(single, X, method=method)
    jac = sad.jacobian(single, X, method=method, step=1e-2)
    np.testing.assert_allclose(jac(X).diagonal(), 2 * X, rtol=5e-2)


PARTIAL = {
    "abs": lambda x: np.abs(x) + x**2,
    "norm": lambda x: np.linalg.norm(x) * x,
    "cast": lambda x: x.astype(float) * x,
    "conj": lambda x: np.conj(x) * x,
    "real part": lambda x: x.real * np.exp(x),
    "array of floats": lambda x: np.array(x, dtype=float) * x,
}


@pytest.mark.parametrize("name", PARTIAL)
@pytest.mark.parametrize("x", [X, np.zeros(3)], ids=["generic", "zeros"])
def test_complex_steps_that_lose_a_part_are_refused(name, x):
    with pytest.raises(sad.InputError, match=r"drops (a part of )?the complex step"):
        sad.jacobian(PARTIAL[name], x, method="complex-step")


@pytest.mark.parametrize("g", [f, np.sqrt, lambda x: np.where(np.arange(3) > 1, x, x**2), lambda x: 1e8 + x**3])
def test_complex_steps_that_lose_nothing_are_not_refused(g):
    complex_step = sad.jacobian(g, X, method="complex-step")
    np.testing.assert_allclose(complex_step(X).toarray(), sad.jacobian(g, X)(X).toarray(), rtol=1e-14)


def test_lagrangians_of_functions_that_change_x():
    def objective(x):
        x *= 2.0
        return np.sum(x**3)

    def constraint(x):
        x += 1.0
        return x**2

    x, multipliers = X.copy(), np.array([1.0, 2.0, 3.0])
    lag = sad.lagrangian_hessian(objective, constraint, x)
    np.testing.assert_allclose(lag(x, multipliers).diagonal(), 48 * X + 2 * multipliers)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_allclose(lag.function(x, multipliers), np.sum(8 * X**3) + multipliers @ (X + 1) ** 2)


# -- checks where there is nothing to compare ----------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "prepared", [lambda: sad.jacobian(np.log, X), lambda: sad.hessian(lambda x: np.sum(np.log(x)), X)]
)
def test_a_check_that_compared_nothing_is_not_passed(prepared):
    with pytest.raises(sad.CheckFailed, match="the function has no finite value at x"):
        sad.check(prepared(), -X)


def test_a_number_that_is_none_in_x_leaves_rows_out():
    report = sad.check(sad.jacobian(lambda x: x**2 * x[::-1], X), np.array([np.nan, 1.0, 2.0]))
    assert report.passed
    assert max(c.undecided for c in report.comparisons) == 2


def test_gradients_can_be_checked():
    assert sad.check(sad.gradient(lambda x: np.sum(x**3), X), X).passed
