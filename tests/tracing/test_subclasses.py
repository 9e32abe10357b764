"""Subclasses of ndarray hold unknowns where they are written in Python, also those that act on operations."""

from __future__ import annotations

import importlib

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


class Wrapping(Field):
    def __array_wrap__(self, array, context=None, return_scalar=False):
        found = super().__array_wrap__(array, context, return_scalar)
        if isinstance(found, Field) and found.slope is not None:
            found.slope = found.slope * 3.0
        return found


class Leaving(Field):
    def __array_wrap__(self, array, context=None, return_scalar=False):
        return np.array(array)[()]


class Tripling(Field):
    def __array_wrap__(self, array, context=None, return_scalar=False):
        return np.asarray(array) * 3.0


class Slim(np.ndarray):
    __slots__ = ()

    def twice(self):
        return 2.0 * self


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


@pytest.mark.parametrize("kind", [Field, Wrapping, Leaving])
@pytest.mark.parametrize(
    "result",
    [
        lambda a, x: np.sin(a) * x,
        lambda a, x: x + a,
        lambda a, x: type(a)(np.ones(6), 3.0) * x,
        lambda a, x: np.modf(a)[0],
        lambda a, x: a > 1.0,
        lambda a, x: a @ np.eye(6),
        lambda a, x: a.sum(),
        lambda a, x: np.mean(a),
        lambda a, x: np.cumsum(a),
        lambda a, x: np.add.outer(a, x)[:, 0],
        lambda a, x: np.concatenate([a, x])[:6],
        lambda a, x: np.where(a > 1.0, a, x),
        lambda a, x: np.linalg.solve(np.eye(6), a),
        lambda a, x: a[0] * a[1],
        lambda a, x: np.asarray(a) * x,
        lambda a, x: np.sin(x.view(Slim)) + a,
        lambda a, x: x.view(Slim).twice(),
    ],
)
def test_results_are_of_the_class_where_numpy_makes_them_so(kind, result):
    def f(x):
        found = result(kind(x**2, 2.0), x)
        slope = getattr(found, "slope", None)
        factor = 1.0 + isinstance(found, Field) + 2.0 * isinstance(found, Slim)
        return np.asarray(x * found) * factor * (5.0 if slope is None else slope)

    agrees(f)


@pytest.mark.parametrize(
    "f", [lambda a, x: a * x, lambda a, x: np.exp(a), lambda a, x: np.cumsum(a), lambda a, x: x + a]
)
def test_values_that_a_class_computes_around_operations_are_refused(f):
    with pytest.raises(
        sad.UnsupportedOperationError, match=r"Tripling computes in __array_wrap__(.|\n)*test_subclasses"
    ):
        sad.jacobian(lambda x: np.asarray(f(Tripling(x), x)), X, check=False)


def test_writing_through_the_view():
    def f(x):
        y = x**2
        field = Field(y)
        field[1:3] = 0.5 * x[:2]
        field *= 2.0
        return y

    agrees(f)


class Scaled(np.ndarray):
    """Values in a unit, which ufuncs multiply; written as packages of units are."""

    def __new__(cls, values, unit=1.0):
        made = np.asarray(values, dtype=float).view(cls)
        made.unit = unit
        return made

    def __array_finalize__(self, other):
        if other is not None and not hasattr(self, "unit"):
            self.unit = getattr(other, "unit", 1.0)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        units = [getattr(given, "unit", 1.0) for given in inputs]
        plain = [given.view(np.ndarray) if isinstance(given, Scaled) else given for given in inputs]
        if ufunc is np.add:
            plain = [each * unit for each, unit in zip(plain, units, strict=True)]
            if method == "reduce":
                return Scaled(super().__array_ufunc__(ufunc, method, *plain, **options), 1.0)
            units = [1.0]
        result = super().__array_ufunc__(ufunc, method, *plain, **options)
        return Scaled(result, float(np.prod(units))) if type(result) is np.ndarray else result

    @classmethod
    def of(cls, values, unit):
        return cls(values, unit)

    @property
    def base(self):
        return self.unit * np.asarray(self)


class Finer(Scaled):
    def __array_finalize__(self, other):
        super().__array_finalize__(other)
        self.depth = getattr(other, "depth", 0.0) + 1.0

    @property
    def base(self):
        return super().base * self.depth


SCALED = {
    "multiplied": lambda x: (Scaled(x, 10.0) * Scaled(x**2, 3.0)).base,
    "beside a known one": lambda x: (Scaled(np.arange(6.0), 2.0) + Scaled(x, 10.0)).base,
    "known one to the right": lambda x: (Scaled(x, 10.0) + Scaled(np.arange(6.0), 2.0)).base,
    "known one, plain unknowns": lambda x: (x * Scaled(np.arange(6.0), 2.0)).base + (Scaled(X, 3.0) * x).base,
    "known ones alone": lambda x: (Scaled(X, 10.0) + Scaled(X, 2.0)).base * x,
    "views": lambda x: Scaled(x, 10.0)[1:4].reshape(3, 1).T.base,
    "copies": lambda x: Scaled(x, 10.0)[[0, 2]].copy().base,
    "functions that move": lambda x: np.roll(Scaled(x, 10.0), 1).base + np.flip(Scaled(x, 5.0)).base,
    "sums": lambda x: np.add.reduce(Scaled(x, 10.0)).base * x,
    "class methods": lambda x: Scaled.of(x, 4.0).base + type(Scaled(x, 1.0))(x, 4.0).base,
    "super": lambda x: Finer(x, 10.0)[1:].base,
    "type": lambda x: x * (type(Scaled(x)) is Scaled) * isinstance(Scaled(x), Scaled),
}


INSTALLED = """
import numpy as np

class Tagged(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        inputs = [np.asarray(given) if type(given) is Tagged else given for given in inputs]
        return np.asarray(getattr(ufunc, method)(*inputs, **options)).view(Tagged)

def tripled(values):
    return 3.0 * values if type(values) is Tagged else values
"""


def test_packages_of_classes_that_act_ask_for_types_as_user_code_does(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "of_tagged.py").write_text(INSTALLED)
    monkeypatch.syspath_prepend(folder)
    package = importlib.import_module("of_tagged")
    agrees(lambda x: np.asarray(package.tripled(x.view(package.Tagged))))


@pytest.mark.parametrize("name", SCALED)
def test_classes_that_act_on_ufuncs_do_so_on_unknowns(name):
    agrees(SCALED[name])


def test_classes_that_act_on_operators_do_so_on_unknowns():
    agrees(lambda x: x.view(Doubling) + x)
    agrees(lambda x: np.asarray(x.view(Doubling) * x) + x.view(Asked) * x)


def test_second_derivatives():
    f = lambda x: (Scaled(x, 10.0) * Scaled(x**2, 3.0)).base.sum()  # noqa: E731
    np.testing.assert_allclose(sad.hessian(f, X)(X).toarray(), np.diag(180.0 * X), rtol=1e-13)


def test_what_numpy_does_not_say_is_refused():
    with pytest.raises(sad.UnsupportedOperationError, match=r"np.dot of arrays of Scaled(.|\n)*values"):
        sad.jacobian(lambda x: np.dot(Scaled(x, 2.0), x), X)


@pytest.mark.parametrize("kind", [np.matrix, np.ma.MaskedArray, np.recarray])
def test_classes_of_numpy_are_refused(kind):
    with pytest.raises(sad.UnsupportedOperationError, match=rf"ndarray.view\({kind.__name__}\)"):
        sad.jacobian(lambda x: x.view(kind) + 1.0, X)
