"""What f keeps from the traced run: known arrays are ndarrays again afterwards, wherever f put them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.2, 0.5, 0.7])
KEPT: dict[str, Any] = {}
HELD = None


class Pair(NamedTuple):
    first: Any
    second: Any


class Slotted:
    __slots__ = ("matrix",)


@dataclass(frozen=True)
class Frozen:
    values: list = field(default_factory=list)


class Model:
    shared = None

    def __init__(self):
        self.matrix = None

    def f(self, y):
        if self.matrix is None:
            self.matrix = np.zeros((3, 3))
            self.matrix[0, 0] = 2.0
            self.row, self.pair = self.matrix[0], Pair(self.matrix.T, [np.ones(3)])
            self.complex = np.full(3, 1j)
            type(self).shared = np.arange(3.0)
        return self.matrix @ y + self.pair.second[0] * type(self).shared * self.complex.imag


def _global(x):
    global HELD
    HELD = np.linspace(0.0, 1.0, 3) if HELD is None else HELD
    return HELD


def _cached(x):
    return _table(3)


@functools.lru_cache
def _table(n):
    return np.linspace(0.0, 1.0, n)


@functools.cache
def _other_table(n):
    return np.linspace(0.0, 1.0, n), n


def _in_a_cell():
    kept = None

    def get(x):
        nonlocal kept
        kept = np.linspace(0.0, 1.0, 3) if kept is None else kept
        return kept

    return get


def _in_an_object(container, get, put):
    def kept(x):
        if get(container) is None:
            put(container, np.linspace(0.0, 1.0, 3))
        return get(container)

    return kept


def _slot(value=None):
    slotted = Slotted()
    slotted.matrix = value
    return slotted


PLACES = {
    "global": _global,
    "cache": _cached,
    "unbounded cache, in a tuple": lambda x: _other_table(3)[0],
    "cell": _in_a_cell(),
    "dict": _in_an_object({}, lambda d: d.get("a"), lambda d, v: d.update(a=v)),
    "list": _in_an_object([None], lambda v: v[0], lambda v, new: v.__setitem__(0, new)),
    "slot": _in_an_object(_slot(), lambda s: s.matrix, lambda s, v: setattr(s, "matrix", v)),
    "nested": _in_an_object(Frozen([None]), lambda s: s.values[0] and s.values[0][0][1],
                            lambda s, v: s.values.__setitem__(0, ((0, v), 1))),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_kept_arrays_are_plain_afterwards(place):
    get = PLACES[place]

    def f(x):
        return get(x) * x

    matrix = sad.jacobian(f, X, backend="python")(X).toarray()
    assert type(get(X)) is np.ndarray
    np.testing.assert_array_equal(get(X), np.linspace(0.0, 1.0, 3))
    assert type(f(X)) is np.ndarray
    assert_close(matrix, differences(f, X))
    assert_close(sad.jacobian(f, X, backend="python")(X).toarray(), matrix)  # the kept one is a constant now


def test_a_model_that_keeps_its_matrices():
    model, fresh = Model(), Model()
    jac = sad.jacobian(model.f, X, backend="python")
    kept = [model.matrix, model.row, model.pair.first, model.pair.second[0], model.complex, Model.shared]
    assert all(type(array) is np.ndarray for array in kept)
    assert np.shares_memory(model.matrix, model.row) and np.shares_memory(model.matrix, model.pair.first)
    np.testing.assert_array_equal(model.f(X), fresh.f(X))
    assert_close(jac(X).toarray(), differences(fresh.f, X))
    model.row[1] = 5.0
    assert model.matrix[0, 1] == 5.0


def test_kept_arrays_of_a_failing_trace_are_plain_too():
    def f(x):
        KEPT["a"] = np.zeros(3)
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        sad.jacobian(f, X)
    assert type(KEPT["a"]) is np.ndarray


@pytest.mark.parametrize("use", [lambda a, x: a * x, lambda a, x: a[0] * x, lambda a, x: a.sum() + x, lambda a, x: a])
def test_traced_arrays_from_another_run_are_refused(use):
    held = []

    def f(x):
        held.append(x * 2.0)
        return use(held[0], x)

    sad.jacobian(f, X, backend="python")
    with pytest.raises(sad.SparseADError, match="from another run"):
        sad.jacobian(f, X, backend="python")


def test_writing_into_a_kept_constant_is_refused():
    held = []

    def f(x):
        if not held:
            held.append(np.zeros(3))
        held[0][1] = x[0]
        return held[0] * 1.0

    sad.jacobian(f, X, backend="python")
    with pytest.raises(sad.SparseADError, match=r"another run"):
        sad.jacobian(f, X, backend="python")
