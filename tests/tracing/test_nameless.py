"""Objects that say of themselves nothing, as code made by code does, or anything, as proxies do."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.tracing.reflection import module_of

X = np.linspace(0.5, 1.5, 5)


class Model:
    """Holds a number, and unknowns where it is told to."""

    def __init__(self, k=2.0):
        self.k = k

    def __call__(self, x):
        """Return a function of x."""
        return self.k * x**2

    def scaled(self, x):
        """Return another one."""
        return self.k * x


class Proxy:
    """Answers to every name, with another proxy, as loaders of libraries do."""

    def __getattribute__(self, name):
        """Return another one."""
        return Proxy() if name != "__class__" else Proxy

    def __call__(self, x):
        """Return a function of x."""
        return x**2


PROXY = Proxy()


class Kept(list):
    """A list of another kind."""


def power(x, n):
    """Return a power."""
    return x**n


@pytest.fixture(autouse=True)
def nameless(monkeypatch):
    """Take the names of modules away."""
    for each in (Model, Kept):
        monkeypatch.setattr(each, "__module__", None)
    monkeypatch.setattr(power, "__module__", None)


def test_the_module_of_what_has_none_is_empty():
    assert module_of(Model) == module_of(power) == module_of(3) == ""
    assert module_of(np.ndarray) == "numpy"


@pytest.mark.parametrize(
    ("f", "args", "slope"),
    [
        (Model(), (), 4.0 * X),
        (Model().scaled, (), np.full(5, 2.0)),
        (lambda x, m: m.scaled(x) * x, (Model(),), 4.0 * X),
        (lambda x, m: m[0].scaled(x) * m[1], (Kept([Model(), 3.0]),), np.full(5, 6.0)),
        (lambda x: power(x, 3), (), 3.0 * X**2),
        (lambda x, g: g(x, 3), (power,), 3.0 * X**2),
        (lambda x: np.vectorize(power)(x, 2), (), 2.0 * X),
        (lambda x: Model(x[0])(x), (), None),
        (lambda x: PROXY(x), (), 2.0 * X),
        (lambda x, held: held[0](x), ([PROXY],), 2.0 * X),
    ],
)
def test_they_are_traced_like_all_others(f, args, slope):
    J = sad.jacobian(f, X, *args)(X, *args).toarray()
    expected = np.diag(2.0 * X[0] * X) + np.outer(X**2, np.eye(5)[0]) if slope is None else np.diag(slope)
    np.testing.assert_allclose(J, expected, rtol=1e-14)


def test_what_keeps_unknowns_beyond_the_trace_is_named():
    model = Model()

    def f(x):
        model.last = x * 2.0
        return x**2

    with pytest.raises(sad.SparseADError, match="keeps a traced value in the attribute last of a Model"):
        sad.jacobian(f, X)
