"""Evaluation in place: the same numbers, in the caller's arrays, and no memory that grows with the problem."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import sparsead as sad
from sparsead.problems import PROBLEMS

MODES = {
    "brusselator": (70, ("direct", "forward", "reverse", "bidirectional")),
    "cavity": (60, ("direct", "forward", "bidirectional")),
    "rosenbrock": (20_000, ("direct", "star", "acyclic", "column")),
    "minimal-surface": (80, ("direct", "star", "acyclic")),
}
CASES = [(name, size, mode) for name, (size, modes) in MODES.items() for mode in modes]
A_LITTLE = 250_000  # bytes; every array of the problems above that grows with n is larger


def layered(x):
    return np.sum(np.exp(np.sin(x[1:] * x[:-1])) * np.cumsum(x[1:])[::-1])


def prepared(name, size, mode):
    problem = PROBLEMS[name](size)
    prepare = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    return problem, prepare(problem.f, problem.x0, *problem.args, mode=mode)


def allocated(call):
    """Return the most bytes that a call held beyond what was there before."""
    call()  # work arrays are made at the first call and kept
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("name", "size", "mode"), CASES)
def test_out_allocates_nothing_that_grows(name, size, mode):
    problem, matrix = prepared(name, size, mode)
    x, args = problem.x0, problem.args
    J = matrix(x, *args)
    assert J.data.nbytes > A_LITTLE
    assert allocated(lambda: matrix(x, *args)) >= J.data.nbytes  # what is measured is what is allocated
    assert allocated(lambda: matrix(x, *args, out=J)) < A_LITTLE
    theirs = J.copy()  # index arrays of its own: they are compared
    assert allocated(lambda: matrix(x, *args, out=theirs)) < A_LITTLE
    for order in ("csr", "csc", "lower"):
        data = matrix.values(x, *args, order=order)
        assert allocated(lambda data=data, order=order: matrix.values(x, *args, order=order, out=data)) < A_LITTLE
    if problem.derivative == "jacobian":
        out = matrix.value_and_jacobian(x, *args)
        assert allocated(lambda: matrix.value_and_jacobian(x, *args, out=out)) < A_LITTLE
    else:
        out = matrix.value_gradient_and_hessian(x, *args)[1:]
        assert allocated(lambda: matrix.value_gradient_and_hessian(x, *args, out=out)) < A_LITTLE


def test_value_and_jacobian_in_place():
    problem, jac = prepared("cavity", 5, "auto")
    x, (y, J) = problem.x0, jac.value_and_jacobian(problem.x0, *problem.args)
    z, K = jac.value_and_jacobian(x + 0.1, *problem.args)
    y2, J2 = jac.value_and_jacobian(x + 0.1, *problem.args, out=(y, J))
    assert J2 is J
    assert np.shares_memory(y2, y)
    np.testing.assert_array_equal(y, z)
    np.testing.assert_array_equal(J.data, K.data)
    y3, J3 = jac.value_and_jacobian(x, *problem.args, out=(y, None))
    assert J3 is not J
    np.testing.assert_allclose(y3, problem.f(x, *problem.args), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(jac.value(x, *problem.args, out=np.empty_like(y)), y3)


def test_value_gradient_and_hessian_in_place():
    x = np.linspace(0.1, 1.0, 30)
    hess = sad.hessian(layered, x)
    value, g, H = hess.value_gradient_and_hessian(x)
    other, k, K = hess.value_gradient_and_hessian(2 * x)
    again, g2, H2 = hess.value_gradient_and_hessian(2 * x, out=(g, H))
    assert again == other != value
    assert H2 is H
    assert np.shares_memory(g2, g)
    np.testing.assert_array_equal(g, k)
    np.testing.assert_array_equal(H.data, K.data)
    np.testing.assert_array_equal(hess.gradient(2 * x, out=np.empty(30)), k)


@pytest.mark.parametrize(
    "out",
    [
        np.empty(3),
        (np.empty(3), None),
        (np.empty(30, dtype=np.float32), None),
        (np.empty(60)[::2], None),
        (None, np.empty(30)),
        (1, 2, 3),
    ],
)
def test_what_does_not_fit_is_refused(out):
    x = np.linspace(0.1, 1.0, 30)
    with pytest.raises(sad.InputError, match=r"out must be"):
        sad.hessian(layered, x).value_gradient_and_hessian(x, out=out)


def test_copies_of_the_structure_are_recognised_and_others_refused():
    x = np.linspace(0.1, 1.0, 30)
    jac = sad.jacobian(lambda x: x[1:] * x[:-1], x)
    mine = jac(x).copy()
    assert jac(2 * x, out=mine) is mine
    np.testing.assert_array_equal(mine.data, jac(2 * x).data)
    mine.indices[3] += 1
    with pytest.raises(sad.InputError, match="out must be"):
        jac(x, out=mine)
