"""Questions about types: what NumPy's own values would answer, with `is` too."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import sparsead as sad
from sparsead.tracing.replacing.types import type_of
from sparsead.tracing.trace import trace
from tests.tracing.helper_module import named

X = np.array([0.5, -1.5, 2.5])
KINDS = {"array": np.ndarray, "number": np.float64, "complex": np.complex128, "mask": np.ndarray}


def through_a_helper(x):
    return scaled(x) + scaled(x[0])


def scaled(v):
    return 2.0 * v if type(v) is np.ndarray else 3.0 * v if type(v) is np.float64 else v


def made(x):
    kind = type("Kind", (), {"factor": 2.0})
    return kind.factor * x * (type(kind) is type) * isinstance(kind, type) * issubclass(type, type)


def doubled_by_a_metaclass(x):
    class Doubling(type):
        def __call__(cls, *args):
            return 2.0 * super().__call__(*args).value

        def __getitem__(cls, k):
            return k

    class Held(metaclass=Doubling):
        def __init__(self, value):
            self.value = value

    return Held(x) + Held[1] * isinstance(Held, Doubling) * isinstance(Held, type)


def of_a_class_of_floats(x):
    class Gain(float):
        def __mul__(self, other):
            return 2.0 * float(self) * other

    return Gain(3.0) * x * float(x[0]) * isinstance(Gain(1), float)


@pytest.mark.parametrize(
    "f",
    [
        through_a_helper,
        made,
        doubled_by_a_metaclass,
        of_a_class_of_floats,
        lambda x: x * (type(x) is np.ndarray) + x * (type(x[0]) in (float, np.float64)),
        lambda x: x * issubclass(type(x), np.ndarray) + len(type(x).__name__),
        lambda x: x * (x.__class__ is np.ndarray) * (x.__class__ == np.ndarray),
        lambda x: x * (type(x * 1j) is np.ndarray) + x * (type(x[0] * 1j) is np.complex128),
        lambda x: (
            x * (type(x > 0) is np.ndarray) + x * (type(x[0] > 0) is np.bool_) + (type(np.sum(x > 0)) is np.int64)
        ),
        lambda x: x * (type(x.size) is int) + (type(None) is type(x.sort.__doc__)) + len({type: 1, int: 2}),
        lambda x: x * {np.ndarray: 2.0}[type(x)] * (type[int] == type[int]),
    ],
)
def test_type_says_what_numpys_value_is(f):
    jac = sad.jacobian(f, X, check=False)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-15)


def test_hasattr_says_what_numpys_value_has():
    """Of every name of Python's."""
    names = sorted({n for kind in KINDS.values() for n in dir(kind) if n.startswith("__")})
    of = {"array": lambda x: x, "number": lambda x: x[0], "complex": lambda x: x[0] * 1j, "mask": lambda x: x > 0}
    held = {}

    def f(x):
        held.update({(kind, name): named(of[kind](x), name) for kind in of for name in names})
        return x

    trace(f, (X,))
    assert held == {(kind, name): hasattr(KINDS[kind], name) for kind in of for name in names}


def test_type_is_answered_in_modules_that_are_far_away():
    def f(x):
        return x * (2.0 if importlib.import_module("tests.tracing.helper_module").is_plain(x) else 3.0)

    np.testing.assert_allclose(sad.jacobian(f, X, check=False)(X).diagonal(), 2.0)


def test_the_name_is_gone_afterwards():
    sad.jacobian(through_a_helper, X)
    assert "type" not in globals()
    assert type_of(X) is np.ndarray
