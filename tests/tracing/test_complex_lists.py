"""Lists of complex numbers, known and traced, however deep, wherever NumPy takes an array."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.3, 0.7, 0.5, 0.2])
NUMBERS = {
    "traced": lambda x: [x[0] + 1j * x[1], x[2] * np.exp(1j * x[3])],
    "and real": lambda x: [x[0] + 1j * x[1], x[2]],
    "and known": lambda x: [x[0] + 1j * x[1], 2.0],
    "known and real": lambda x: [1j, x[0]],
    "arrays of no axes": lambda x: [np.array(1j * x[0]), np.array(x[1])],
}
TAKES = {
    "array": lambda p, q: np.array(p),
    "nested": lambda p, q: np.array([p, q]) @ np.array(q),
    "nested, known": lambda p, q: np.asarray([[1.0, 2.0], p, q]),
    "deeper": lambda p, q: np.array([[p], [q]]),
    "solve": lambda p, q: np.linalg.solve([p, [3.0, 5.0]], q),
    "solve, nested": lambda p, q: np.linalg.inv([p, [q[1], 7.0]]),
    "sum": lambda p, q: np.sum([*p, 3.0]) * np.sum([p, q], axis=0),
    "mean": lambda p, q: np.mean(p) * np.array(q),
    "prod": lambda p, q: np.prod(p) + np.array(q),
    "dot": lambda p, q: np.dot([p, q], p),
    "outer": lambda p, q: np.outer(p, q),
    "kron": lambda p, q: np.kron([p], [[1.0, 1j]]),
    "diag": lambda p, q: np.diag(p),
    "where": lambda p, q: np.where([True, False], p, q),
    "exp": lambda p, q: np.exp(p) * np.conj(q),
    "concatenate": lambda p, q: np.concatenate([p, [2.0], q]),
    "stack": lambda p, q: np.stack([p, q], axis=1),
    "polyval": lambda p, q: np.polyval([*p, 1.0], q[0]) * np.array(p),
    "written": lambda p, q: written(p, q),
}


def written(p, q):
    matrix = np.eye(2, dtype=complex)
    matrix[0] = p
    matrix[:, 1] += q
    matrix[...] *= [q, p]
    return matrix


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("takes", TAKES)
def test_lists_of_complex_numbers_are_arrays(numbers, takes):
    def plain(x):
        return TAKES[takes](NUMBERS[numbers](x), NUMBERS[numbers](x[::-1]))

    def f(x):
        y = plain(x)
        assert y.shape == expected.shape
        return np.concatenate([np.ravel(y).real, np.ravel(y).imag])

    expected = plain(X)
    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)


C, CS = np.complex128(1.0 + 2.0j), np.array([1.0 + 2.0j, 3.0 - 1.0j])
WITH_KNOWN = {
    "number": lambda p: np.array([np.real(C + p), np.imag(p - C), np.abs(C / p), np.angle(p**C)]),
    "number, nested": lambda p: np.real(np.exp(C - [p, [p[0], 0.5]])),
    "array": lambda p: np.real(CS * p) + np.imag(np.sum(p / CS)),
    "array, with unknowns": lambda p: np.real((CS - p) * np.asarray(p)),
    "product": lambda p: np.abs(p @ CS) * np.real(np.fft.fft(CS * p)),
    "sizes": lambda p: np.size(CS * p) * np.ndim([C * p[0], p[1]]) * np.ones(np.shape(C + p)) * np.asarray(p),
}


@pytest.mark.parametrize("name", WITH_KNOWN)
def test_known_complex_numbers_meet_lists_of_unknowns(name):
    """Operators of numbers and arrays made outside do not ask a list: they return arrays of objects."""

    def f(x):
        return WITH_KNOWN[name]([x[0], x[1] * x[2]])

    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)
