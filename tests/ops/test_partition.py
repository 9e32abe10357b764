"""The order that np.partition leaves open: what depends on it is refused, what does not is right."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([3.0, 1.0, 2.0, 5.0, 4.0, 0.5])


def in_place(x):
    y = x**2
    y.partition(2)
    return y[2] * y[:2].sum()


def recurrence(x, read):
    """Return elements that follow from the last one, and from what is read of the parts of the last three."""
    y = x * np.ones(6)
    for i in range(3, 6):
        y[i] = 0.5 * x[i] * y[i - 1] + read(np.partition(y[i - 3 : i], 2))
    return y


DEFINED = {
    "beside a recurrence": lambda x: np.cumprod(x) * np.partition(x**2, 2)[2],
    "within a recurrence": lambda x: recurrence(x, lambda part: part[2] + part[:2].sum()),
    "the place": lambda x: np.partition(x**2, 2)[2],
    "places side by side": lambda x: np.partition(x, [2, 3])[2:4],
    "the largest": lambda x: np.partition(x, -3)[-3:].mean(),
    "functions of a part": lambda x: np.sum(np.exp(np.partition(x, 3)[:3])) + np.max(np.partition(x, 3)[4:]),
    "a part in order": lambda x: np.sort(np.partition(x, 3)[:3]),
    "along an axis": lambda x: np.partition(x.reshape(3, 2), 1, axis=0)[1] * x[0],
    "in place": in_place,
}
OPEN = {
    "all": lambda x: np.partition(x, 2),
    "an element": lambda x: np.partition(x, 2)[0] * x,
    "weights": lambda x: np.partition(x, 3)[:3] @ np.array([1.0, 2.0, 3.0]),
    "along an axis": lambda x: np.partition(x.reshape(2, 3), 0, axis=1),
    "before a recurrence": lambda x: np.cumprod(np.partition(x, 2)),
    "within a recurrence": lambda x: recurrence(x, lambda part: part[2] + part[0]),
    "without an axis": lambda x: np.partition(x.reshape(2, 3), 2, axis=None),
}


@pytest.mark.parametrize("x0", [X, np.zeros(6)])
@pytest.mark.parametrize("name", DEFINED)
def test_what_does_not_depend_on_the_order(name, x0):
    jac = sad.jacobian(DEFINED[name], x0, backend="python")
    np.testing.assert_allclose(jac(X).toarray(), differences(DEFINED[name], X), atol=1e-8)


@pytest.mark.parametrize("x0", [X, np.zeros(6)])
@pytest.mark.parametrize("name", OPEN)
def test_what_depends_on_the_order_is_refused(name, x0):
    with pytest.raises(sad.UnsupportedOperationError, match=r"leaves open(.|\n)*np.sort"):
        sad.jacobian(OPEN[name], x0)


def test_a_branch_that_depends_on_the_order_is_refused():
    with pytest.raises(sad.UnsupportedOperationError, match="leaves open"):
        sad.jacobian(lambda x: x if np.partition(x, 3)[0] > 0.75 else -x, X, guard="record")
