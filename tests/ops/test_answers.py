"""Indices and orders chosen by value: recorded as branches with guard="record", refused with the reason without."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

KNOTS = np.array([0.0, 0.2, 0.5, 0.6, 0.8, 1.0])
ROWS = np.arange(2)


def own_interpolation(x):
    k = np.clip(np.searchsorted(KNOTS, x) - 1, 0, 4)
    share = (x - KNOTS[k]) / (KNOTS[k + 1] - KNOTS[k])
    return (1.0 - share) * KNOTS[k] ** 2 + share * KNOTS[k + 1] ** 2


ANSWERED = [
    own_interpolation,
    lambda x: x[np.argmax(x)] * x,
    lambda x: (x**2)[np.argmin(np.sin(5.0 * x))] * x,
    lambda x: x[np.argsort(-x)] * x,
    lambda x: np.take_along_axis(x.reshape(2, 3), x.reshape(2, 3).argsort(axis=1), axis=1) ** 2,
    lambda x: x.reshape(2, 3)[ROWS, np.argmax(x.reshape(2, 3), axis=1)] ** 2,
    lambda x: np.take_along_axis(x.reshape(2, 3), np.argmin(x.reshape(2, 3), axis=0, keepdims=True), axis=0) ** 2,
    lambda x: KNOTS[np.digitize(x, KNOTS) - 1] * x + np.digitize(x, KNOTS[::-1]) * x**2,
    lambda x: KNOTS[np.searchsorted(np.cumsum(x), [1.0, 2.0], side="right")] * x[:2],
    lambda x: KNOTS[(x * 5.0).astype(int)] * x,
    lambda x: KNOTS[int(np.floor(x[1] * 5.0))] * x + [1.0, 2.0, 3.0][int(x[0] * 3.0)] * x**2,
    lambda x: math.floor(x[0] * 7.0) * x + math.ceil(x[1] * 7.0) * x**2,
    lambda x: x[: np.count_nonzero(x > 0.5)].sum() * x,
    lambda x: sum(x[0] ** k for k in range(int(x[1] * 10.0))) * x,
    lambda x: x if np.allclose(x, x[0], atol=0.3) else x**2,
]


@pytest.mark.parametrize("f", ANSWERED)
def test_recorded_answers(f):
    rng = np.random.default_rng(1)
    points = rng.permutation(np.linspace(0.103, 0.957, 18)).reshape(3, 6)
    jac = sad.jacobian(f, points[0], guard="record")
    for point in points:
        np.testing.assert_allclose(jac(point).toarray(), differences(f, point), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "f", [lambda x: x[np.argmax(x)], lambda x: x[np.argsort(x)], lambda x: KNOTS[np.searchsorted(KNOTS, x)] * x]
)
def test_without_a_record_they_say_what_to_write(f):
    with pytest.raises(sad.UnsupportedOperationError, match=r'guard="record".*np\.'):
        sad.jacobian(f, KNOTS)


def test_comparisons_are_conditions():
    def f(x):
        near = np.isclose(x, x[::-1], atol=0.2)
        return np.where(near, x, x**2) * np.where(np.allclose(x, 0.5, atol=0.6), 1.0, x) + np.count_nonzero(x > 0.5)

    x = np.array([0.15, 0.93, 0.52, 0.61, 0.33, 0.27])
    jac = sad.jacobian(f, x)
    for point in (x, x[::-1] * 1.3):
        np.testing.assert_allclose(jac.value(point), f(point), rtol=1e-14)
        np.testing.assert_allclose(jac(point).toarray(), differences(f, point), rtol=1e-8, atol=1e-8)


def test_a_table_with_unknown_abscissae():
    def f(x):
        places = np.cumsum(x)
        return np.interp([0.2, 1.0, 1.6, 9.0], places, x**2, left=x[0]) + np.interp(x[2] + 0.4, places, KNOTS)

    x = np.array([0.31, 0.43, 0.52, 0.61, 0.33, 0.27])
    jac = sad.jacobian(f, x)
    for point in (x, 1.7 * x[::-1]):
        np.testing.assert_allclose(jac.value(point), f(point), rtol=1e-14)
        np.testing.assert_allclose(jac(point).toarray(), differences(f, point), rtol=1e-8, atol=1e-8)
