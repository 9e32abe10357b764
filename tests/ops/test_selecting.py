"""Selections by masks of values, series with unknown coefficients, and updates of repeated places."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import complex_step, differences

X = np.array([0.4, -1.3, 2.2, -0.9, 1.7])
OTHER = np.array([-0.7, 1.1, 0.6, 2.3, -1.9])


def cut(x):
    y = x**2
    y[x < 0] = 0.5
    return y


def scaled(x):
    y = x.copy()
    y[y > 1.0] *= 2.0
    y[y < 0] = np.exp(y[y < 0])
    return y


def by_places(x):
    y = np.sin(x)
    i = np.where(x > 0)[0]
    y[i] = x[i] ** 2 + 1.0
    y[np.flatnonzero(x < -1.0)] -= 3.0
    return y


def rows(x):
    table = np.outer(x, np.arange(1.0, 4.0))
    kept = x > 0.0
    table[kept] = table[kept] * 2.0 + x[0]
    return table[kept].sum(axis=0)


def one_mask_twice(x):
    m = x > 0
    return np.sum(x[m] * np.cos(x[m]))


def two_names(x):
    kept = x[x > 0]
    other = kept
    kept += 1.0
    kept *= other
    return other.sum() * x


def changed_in_place(x):
    kept = x[x > 0]
    kept -= kept.mean()
    kept **= 2
    return np.sqrt(kept.sum()) + x


SELECTIONS = [
    cut, scaled, by_places, rows,
    lambda x: x[x > 0].sum() * x,
    lambda x: np.sum(x[x > 0] ** 2),
    lambda x: np.mean(np.abs(x[x < 0])) + x,
    lambda x: x[x > 0].max() - np.min(x[x < 0]),
    lambda x: np.prod(x[np.abs(x) > 1.0]),
    lambda x: np.sqrt(np.sum(np.log(x[x > 0]) ** 2)),
    lambda x: (1.0 / x[x > 0]).mean() - (-x[x > 0]).sum(),
    lambda x: np.sum(x[x > 0] == 1.25) + np.sum(x[x > 0] != 1.25) * x + np.sum(x[x < 0] < -1.0),
    lambda x: np.sum(x[x > 0] * (x[x > 0] >= 1.0)) + np.mean(x[x < 0] > -1.0) * x,
    lambda x: np.sum(((x[x > 0] > 1.0) & ~(x[x > 0] > 2.0)) * x[x > 0]),
    two_names, changed_in_place,
]  # fmt: skip


@pytest.mark.parametrize("f", SELECTIONS)
def test_selections_follow_the_values(f):
    jac = sad.jacobian(f, X)
    for x in (X, OTHER):
        np.testing.assert_allclose(np.ravel(jac.value(x)), np.ravel(f(x)), rtol=1e-14)
        np.testing.assert_allclose(jac(x).toarray(), differences(f, x), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: len(x[x > 0]) * x, "the number of elements"),
        (lambda x: x[x > 0] + np.ones(3), "selection with an array of another length"),
        (lambda x: x[x > 0], "mask|selects"),
        (lambda x: x[x > 0][0] * x, "an element of"),
        (lambda x: written(x), "what another mask selected"),
        (lambda x: x * np.where(x > 0)[0].size, "places where a traced mask holds"),
        (lambda x: np.sort(x[x > 0]), r"of a selection"),
        (lambda x: np.nonzero(np.outer(x, x) > 0)[0], "2 axes"),
    ],
)
def test_what_needs_the_number_is_refused(f, words):
    with pytest.raises(sad.SparseADError, match=words):
        sad.jacobian(f, X)


def written(x):
    y = x.copy()
    y[x > 0] = x[x < 1.0]
    return y


@pytest.mark.parametrize("ufunc", [np.multiply, np.divide, np.maximum, np.minimum, np.add, np.subtract])
@pytest.mark.parametrize("key", [[0, 0, 2, 1, 0], ([0, 1, 0], [2, 2, 2])])
def test_repeated_places_come_in_turn(ufunc, key):
    shape = (5,) if isinstance(key, list) else (2, 3)
    count = len(key) if isinstance(key, list) else 3

    def f(x):
        y = np.reshape(np.arange(1.0, 1.0 + np.prod(shape)), shape) * x[3]
        ufunc.at(y, key, x[:count] + 2.0)
        return y.ravel()

    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)


SERIES = ["chebyshev.chebval", "legendre.legval", "hermite.hermval", "hermite_e.hermeval", "laguerre.lagval",
          "polynomial.polyval"]  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
def test_series_with_unknown_coefficients_and_points(name):
    module, function = name.split(".")

    def f(x):
        value = getattr(getattr(np.polynomial, module), function)
        return np.concatenate([np.atleast_1d(value(x[4], x[:4])), value(x[:3], x[2:]), value(x, [1.0, 2.0, 3.0, 4.0])])

    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), complex_step(f, X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.real((2.0j) ** x[0] * x),
        lambda x: np.imag((x + 1j) ** (1 + 2j)),
        lambda x: np.abs((x + 2.0 + 1j) ** x),
        lambda x: np.real(np.abs(x) ** 1j),
        lambda x: np.imag((x + 1j) ** 0.5),
    ],
)
def test_complex_powers(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)
