"""Functions of scipy.linalg called with stacks of matrices, of one axis and of two, and with one matrix for all."""

import numpy as np
import pytest
import scipy
import scipy.linalg as sl

import sparsead as sad
from sparsead.ops.over_stacks import over_stacks

A = np.array([[[4.0, 0.3, 0.1], [0.2, 5.0, 0.4], [0.6, 0.1, 6.0]], [[3.0, 0.5, 0.2], [0.1, 4.0, 0.7], [0.3, 0.2, 5.0]]])
BANDS = np.abs(A[:, ::-1])  # of a positive definite matrix: the diagonal is the last row, and large
BANDS[:, -1] += 9.0
B = np.array([[0.3, 0.9], [1.4, 0.2], [0.8, 0.5]])
CALLS = {
    "cho_factor": lambda a: np.triu(sl.cho_factor(a + np.swapaxes(a, -1, -2))[0]),
    "cho_solve": lambda a: sl.cho_solve((a, True), B),
    "qr": lambda a: sl.qr(a)[1],
    "qr, tall": lambda a: sl.qr(a[..., :2], mode="economic")[0],
    "lstsq": lambda a: sl.lstsq(a[..., :2], B[:, 0])[0],
    "solve_sylvester": lambda a: sl.solve_sylvester(a, A[0, :2, :2], B),
    "solve_continuous_lyapunov": lambda a: sl.solve_continuous_lyapunov(a, A[1]),
    "solve_banded": lambda a: sl.solve_banded((1, 1), a[..., ::-1, :] + 9.0 * np.eye(3)[1][:, None], B),
    "solve_banded, known": lambda a: sl.solve_banded((1, 1), BANDS[:, [0, 2, 1]], a),
    "solveh_banded": lambda a: sl.solveh_banded(BANDS[0] + 0.1 * a, B[:, 0]),
}
pytestmark = pytest.mark.skipif(tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 17), reason="no stacks there")


@pytest.mark.parametrize("name", CALLS)
def test_stacks_are_solved_one_by_one(name):
    def f(x):
        return np.ravel(CALLS[name](np.stack([np.stack([x, 1.1 * x])])))

    jac = sad.jacobian(f, A)
    J, x = jac(A).toarray(), A.ravel()
    h = 1e-5
    differences = [
        (f((x + h * e).reshape(A.shape)) - f((x - h * e).reshape(A.shape))) / (2 * h) for e in np.eye(x.size)
    ]
    np.testing.assert_allclose(J, np.transpose(differences), atol=2e-8)


def test_several_results_of_stacks_are_a_list_and_empty_stacks_raise():
    kinds = []

    def f(x):
        c, lower = result = sl.cho_factor(np.stack([x[0], x[1]]) + 4.0 * np.eye(3))
        kinds.append((type(result), lower.shape))
        return np.ravel(np.triu(c))

    sad.jacobian(f, A)
    assert set(kinds) == {(list, (2,))}
    with pytest.raises(ValueError, match="zero-size"):
        sad.jacobian(lambda x: sl.solve_sylvester(x[:0], A[0], A[0]), A)


def test_single_arrays_reach_the_rule_as_they_are():
    seen = []
    rule = over_stacks(a=2, pair=(1, 0))(lambda a, pair=(None, 0), **more: seen.append((a, pair, more)))
    matrix = A[0]
    rule(matrix, more=3)
    assert seen[0][0] is matrix and seen[0][1:] == ((None, 0), {"more": 3})


def test_keywords_of_a_refused_function_are_its_own():
    def f(x):
        return x * sl.funm(np.array(A[0]), func=np.sin).ravel()[: x.size]

    np.testing.assert_array_equal(sad.jacobian(f, B.ravel(), check=False).value(B.ravel()), f(B.ravel()))
