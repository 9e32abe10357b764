"""Python's max, min, sorted, any and all of unknowns choose by value, at every point of one preparation."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.4, -1.3, 2.2, -0.9, 1.7])
OTHER = np.array([-0.7, 1.1, 0.6, 2.3, -1.9])

CHOICES = [
    lambda x: max([x[0], x[1] ** 2, x[2]]) * x,
    lambda x: min(x[k] * x[k + 1] for k in range(4)) + x,
    lambda x: np.array([max(0, x[1]), min(x[2], 0.5, x[3]), max(x), min(np.sum(x), np.prod(x))]),
    lambda x: max((x[k] for k in range(5)), key=abs) * x,
    lambda x: max([x[:2], x[1:3] * 2.0, x[3:] ** 2], key=lambda row: row[0] * row[1]),
    lambda x: np.stack(min([(x[0], x[1]), (x[2], x[3] ** 2)], key=lambda pair: pair[1])),
    lambda x: np.array(sorted(x**2)),
    lambda x: np.array(sorted([x[3], 0.5, x[1], 1], reverse=True)) * x[0],
    lambda x: np.array(sorted(x, key=lambda v: (v - 1.0) ** 2)),
    lambda x: np.array(sorted(x, key=lambda v: v > 0.0, reverse=True)) * x,  # equal keys stay in turn
    lambda x: functools.reduce(max, x) + np.array([*map(min, x, x[::-1])]),
    lambda x: np.where(any(v > 1.5 for v in x[:2]), x, x**2) + np.where(all([x[0] > 0, x[2]]), x, 3.0),
    lambda x: max([*np.sin(x), *np.cos(x), *x, *(x**2)]) * x,  # long lists
]


@pytest.mark.parametrize("f", CHOICES)
def test_choices_follow_the_values(f):
    jac = sad.jacobian(f, X)
    hess = sad.hessian(lambda x: np.sum(f(x) ** 2), X)
    for point in (X, OTHER, np.roll(X, 2)):
        np.testing.assert_allclose(jac.value(point), f(point), rtol=1e-14)
        np.testing.assert_allclose(jac(point).toarray(), differences(f, point), rtol=1e-7, atol=1e-7)
        rows = sad.jacobian(lambda x: 2.0 * jac(x).T @ f(x), point)
        np.testing.assert_allclose(hess(point).toarray(), rows(point).toarray(), rtol=1e-9, atol=1e-9)


def test_of_equal_numbers_the_first_is_taken_as_in_python():
    value, slope = sad.jacobian(lambda x: np.array([max(0.0, x[0]), max(x[0], 0.0)]), np.zeros(1)), [[0.0], [1.0]]
    np.testing.assert_array_equal(value(np.zeros(1)).toarray(), slope)


def test_without_unknowns_they_are_pythons():
    def f(x):
        assert max([3, 1, 2]) == 3 and min((), default=7) == 7 and max("abc") == "c" and max(2, 1.0) == 2
        assert sorted([3, 1, 2], key=lambda k: -k) == [3, 2, 1] and any([0, 1]) is True and all([]) is True
        for wrong in (lambda: max(), lambda: max([]), lambda: max(1), lambda: any(1), lambda: sorted(3)):
            with pytest.raises((TypeError, ValueError)):
                wrong()
        return x

    assert sad.jacobian(f, X).pattern.nnz == 5
    assert "max" not in globals()


def test_an_index_chosen_by_value_is_recorded():
    def f(x):
        return x[max(range(5), key=lambda k: x[k])] * x

    jac = sad.jacobian(f, X, guard="record")
    for point in (X, OTHER):
        np.testing.assert_allclose(jac(point).toarray(), differences(f, point), rtol=1e-7, atol=1e-7)
    with pytest.raises(sad.TracedBranchError, match="record"):
        sad.jacobian(f, X)
