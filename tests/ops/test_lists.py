"""Lists that hold unknowns are arrays to every function of NumPy, as lists of numbers are."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.linalg
from numpy import maximum as greater_of

import sparsead as sad

X = np.array([0.3, 0.7, 0.2])
A = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]])

CALLS = {
    "sum": lambda x: np.sum([x, x**2], axis=0),
    "sum of numbers": lambda x: np.sum([x[0], x[1] * x[2], 1.0]),
    "mean": lambda x: np.mean([x[0], x[1]]),
    "max": lambda x: np.max([x[0], x[1], 0.5]),
    "amin": lambda x: np.amin([x, x[::-1]], axis=1),
    "maximum": lambda x: np.maximum([x[0], 0.5], 0.4),
    "by another name": lambda x: greater_of([x[0], 0.5], [0.4, x[1]]),
    "sin": lambda x: np.sin([x[0], x[1]]),
    "abs": lambda x: np.abs([x[0], -x[1]]),
    "add": lambda x: np.add([x[0], 1.0], (2.0, x[1])),
    "a method": lambda x: np.add.reduce([x, x**2]),
    "accumulate": lambda x: np.multiply.accumulate([x[0], x[1], x[2]]),
    "outer": lambda x: np.multiply.outer([x[0], 1.0], [2.0, x[1]]),
    "det": lambda x: np.linalg.det([[x[0], 1.0], [x[1], x[2]]]),
    "solve": lambda x: np.linalg.solve([[2.0, 1.0], [0.0, x[2]]], [x[0], 1.0]),
    "norm": lambda x: np.linalg.norm([x[0], x[1]]),
    "matrix times list": lambda x: A @ [x[0], x[1], 1.0],
    "dot": lambda x: np.dot(A, [x[0], x[1], 1.0]),
    "list times array": lambda x: [x[0], 1.0, x[2]] @ x,
    "where": lambda x: np.where([x[0] > 0.1, x[1] > 0.9], [x[0], 1.0], [x[2], 2.0]),
    "vstack of lists": lambda x: np.vstack([[x[0], x[1]], [1.0, 2.0]]),
    "concatenate": lambda x: np.concatenate([[x[0], 1.0], x]),
    "concat": lambda x: np.concat(([x[0]], [2.0])),
    "with no elements": lambda x: np.append([], np.hstack([x, [], np.append(x[:1] ** 2, ())])),
    "cross": lambda x: np.cross([x[0], 0.0, 1.0], [1.0, x[1], 0.0]),
    "einsum": lambda x: np.einsum("i,i", [x[0], x[1]], [2.0, x[2]]),
    "interp": lambda x: np.interp([x[0], 0.4], [0.0, 1.0], [x[1], 2.0]),
    "cumsum": lambda x: np.cumsum([x[0], x[1], 1.0]),
    "diff": lambda x: np.diff([x[0], x[1], 1.0]),
    "transpose": lambda x: np.transpose([[x[0], x[1]], [1.0, 2.0]]),
    "polyval": lambda x: np.polyval([x[0], 1.0, x[1]], 2.0),
    "fft": lambda x: np.fft.fft([x[0], x[1], 1.0]).imag,
    "nested": lambda x: np.sum([[x[0], 1.0], [x[1], x[2]]], axis=1),
    "by keyword": lambda x: np.sum(a=[x[0], x[1]]),
    "clip": lambda x: np.clip([x[0], x[1]], 0.35, 0.8),
    "complex": lambda x: np.abs(np.sum([x[0] + 1j * x[1], 2.0 + 0j])),
    "average": lambda x: np.average([x[0], x[1]], weights=[1.0, x[2]]),
    # lists of numbers beside unknowns
    "known list at the right": lambda x: x @ [1, 2, 3],
    "known list at the left": lambda x: [[1, 2, 3], [4, 5, 6]] @ x,
    "known list and dot": lambda x: np.dot([1, 2, 3], x) * x.dot([1, 2, 3]),
    "known list and inner": lambda x: np.inner([[1, 2, 3], [4, 5, 6]], x),
    "known list and tensordot": lambda x: np.tensordot(x, [1, 2, 3], axes=1),
    "known list and einsum": lambda x: np.einsum("i,ij", x, [[1, 2], [3, 4], [5, 6]]),
    "known list and numbered axes": lambda x: np.einsum([[1, 2, 3], [4, 5, 6]], [0, 1], x, [1], [0]),
    "known lists and multi_dot": lambda x: np.linalg.multi_dot([x[:2], [[1, 2], [3, 4]], [1, 2]]),
    "known right-hand side": lambda x: np.linalg.solve([[2.0, x[0]], [0.0, x[2]]], [1, 2]),
    "known right-hand side of SciPy": lambda x: scipy.linalg.solve([[2.0, x[0]], [0.0, x[2]]], [1, 2]),
    "known list and broadcast_arrays": lambda x: np.broadcast_arrays([1, 2, 3], x)[0] * 2 * x[0],
    "both kinds of list and broadcast_arrays": lambda x: np.broadcast_arrays([[1], [2]], [x[0], 2])[1] * x[2],
    "known list and vectorize": lambda x: np.vectorize(lambda a, b: a * b)([1, 2, 3], x),
    "known list and full_like": lambda x: np.full_like([1.0, 2.0, 3.0], x[0]),
}


@pytest.mark.parametrize("f", CALLS.values(), ids=CALLS)
def test_lists_of_unknowns_are_arrays(f):
    jac = sad.jacobian(f, X, backend="python")
    value, matrix = jac.value_and_jacobian(X)
    expected = np.asarray(f(X), dtype=np.float64)
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    step = 1e-6
    columns = [(np.ravel(f(X + step * e)) - np.ravel(f(X - step * e))) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(matrix.toarray(), np.column_stack(columns), atol=1e-8)


@pytest.mark.parametrize("call", [lambda x: np.argmax([x[0], x[1]]), lambda x: np.linalg.eigvals([[x[0], 1], [1, 2]])])
def test_functions_that_are_refused_say_why_for_lists_too(call):
    with pytest.raises(sad.UnsupportedOperationError, match=r"(?s)test_lists\.py"):
        sad.jacobian(lambda x: x * call(x), X)


def test_what_stands_in_for_a_function_is_taken_for_it():
    seen = {}

    def f(x):
        seen.update(
            ufunc=isinstance(np.add, np.ufunc), nin=np.add.nin, name=np.sum.__name__, key={greater_of: 1}[np.maximum],
            pickled=pickle.loads(pickle.dumps(np.add)) == np.add, rational=np.add.reduce(np.ones(3)),
        )  # fmt: skip
        return np.add(x, x)

    sad.jacobian(f, X)
    assert seen == {"ufunc": True, "nin": 2, "name": "sum", "key": 1, "pickled": True, "rational": 3.0}
    assert type(np.add) is np.ufunc
