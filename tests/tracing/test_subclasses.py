"""Subclasses of ndarray that only add attributes hold unknowns; those that act on operations are refused."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.41, 1.37, 2.26, 0.93, 1.64, 0.72])


class Field(np.ndarray):
    """Values with a slope, as packages of finite elements have them."""

    def __new__(cls, value, slope=None):
        field = np.asarray(value).view(cls)
        field.slope = slope
        return field

    def __array_finalize__(self, other):
        self.slope = getattr(other, "slope", None)

    def energy(self):
        return 0.5 * np.sum(self.slope**2) + self.total

    @property
    def total(self):
        return np.sum(np.asarray(self) ** 3)


class Named(Field):
    unit = 2.0

    def energy(self):
        return self.unit * Field.energy(self)


class Doubling(np.ndarray):
    def __add__(self, other):
        return np.asarray(self) + 2.0 * np.asarray(other)


class Asked(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return getattr(ufunc, method)(*map(np.asarray, inputs), **options)


def agrees(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14)
    assert_close(jac(X).toarray(), differences(f, X))


@pytest.mark.parametrize("kind", [Field, Named])
def test_methods_and_attributes_are_those_of_the_class(kind):
    agrees(lambda x: kind(x, np.sin(x)).energy() * x)
    agrees(lambda x: kind(x**2, x).slope * kind(x) + np.exp(kind(x)[::-1]) - kind(np.ones(6)) * kind(x))
    agrees(lambda x: x * isinstance(kind(x), kind) + x[0] * isinstance(kind(x), np.ndarray) * kind(x).T)


def test_writing_through_the_view():
    def f(x):
        y = x**2
        field = Field(y)
        field[1:3] = 0.5 * x[:2]
        field *= 2.0
        return y

    agrees(f)


@pytest.mark.parametrize("kind", [Doubling, Asked, np.matrix, np.ma.MaskedArray, np.recarray])
def test_what_acts_on_operations_is_refused(kind):
    with pytest.raises(sad.UnsupportedOperationError, match=rf"ndarray.view\({kind.__name__}\)"):
        sad.jacobian(lambda x: x.view(kind) + 1.0, X)
