"""What a function keeps from the run in which it was traced: ndarrays where it was constant, refused where not."""

from __future__ import annotations

import functools
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.5, 1.5, 2.5])
Pair = namedtuple("Pair", "matrix name")


def filled():
    D = np.zeros((3, 3))
    D[0, 0] = 2.0
    D[1, 2] = 3.0
    return D


class Attribute:
    D = None

    def f(self, y):
        if self.D is None:
            self.D = filled()
        return self.D @ y


class Shared:
    D = None

    def f(self, y):
        if Shared.D is None:
            Shared.D = filled()
        return self.D @ y


class Slotted:
    __slots__ = ("D",)

    def f(self, y):
        if not hasattr(self, "D"):
            self.D = filled()
        return self.D @ y


@dataclass
class Data:
    D: object = None

    def f(self, y):
        if self.D is None:
            self.D = filled()
        return self.D @ y


def in_a_global(y):
    if "KEPT" not in globals():
        globals()["KEPT"] = filled()
    return KEPT @ y  # noqa: F821


def default_argument(y, kept=[]):  # noqa: B006
    if not kept:
        kept.append(filled())
    return kept[0] @ y


@functools.lru_cache
def limited(n):
    return filled()


@functools.cache
def unlimited(n):
    return filled()


@functools.cache
def several(n):
    return Pair(filled(), "D"), [filled()]


def closed():
    kept = None

    def f(y):
        nonlocal kept
        if kept is None:
            kept = filled()
        return kept @ y

    return f


def cached_in_a_tuple(y):
    (pair, (other,)) = several(3)
    return pair.matrix @ y + 0.0 * other @ y


def keepers():
    return {
        "attribute": Attribute().f,
        "class": Shared().f,
        "slot": Slotted().f,
        "dataclass": Data().f,
        "global": in_a_global,
        "default argument": default_argument,
        "limited cache": lambda y: limited(3) @ y,
        "unlimited cache": lambda y: unlimited(3) @ y,
        "tuple in a cache": cached_in_a_tuple,
        "closure": closed(),
    }


@pytest.mark.parametrize("name", keepers())
def test_constants_become_ndarrays(name):
    f = keepers()[name]
    jac = sad.jacobian(f, X, check=False)
    value = f(X)
    assert type(value) is np.ndarray
    np.testing.assert_array_equal(value, filled() @ X)
    np.testing.assert_array_equal(jac(X).toarray(), filled())
    assert sad.jacobian(f, X).checked.passed


def test_complex_constants_too():
    kept = {}

    def f(y):
        if not kept:
            kept["w"] = np.zeros(3, complex)
            kept["w"][1] = 1j
        return np.imag(kept["w"] * y)

    sad.jacobian(f, X)
    assert type(kept["w"]) is np.ndarray
    np.testing.assert_array_equal(kept["w"], [0.0, 1j, 0.0])


class Traced:
    last = None

    def f(self, y):
        self.last = 2.0 * y
        return self.last**2


HISTORY = []


def appended(y):
    HISTORY.append(y)
    return y**2


@pytest.mark.parametrize(
    ("f", "place"),
    [(Traced().f, "in the attribute last of a Traced"), (appended, "in a list")],
)
def test_traced_values_are_refused_with_the_place(f, place):
    with pytest.raises(sad.SparseADError, match=f"keeps a traced value {place}: "):
        sad.jacobian(f, X)
    HISTORY.clear()


def test_traced_numbers_are_refused_too():
    norms = {}

    def f(y):
        norms["last"] = np.sum(y[0] * y[1])
        return y

    with pytest.raises(sad.SparseADError, match="in a dict, under 'last'"):
        sad.jacobian(f, X)


def test_what_is_kept_inside_the_run_is_no_matter():
    def f(y):
        steps = [y]
        cell = {"u": y}

        def again(k):
            cell["u"] = cell["u"] * steps[-1]
            return again(k - 1) if k else cell["u"]

        return again(3)

    np.testing.assert_allclose(sad.jacobian(f, X)(X).diagonal(), 5 * X**4)


def test_views_stay_views():
    """What was kept of one memory is one memory afterwards, too."""

    class Buffers:
        out = None

        def f(self, y):
            if self.out is None:
                self.out = np.zeros(6)
                self.first, self.last = self.out[:3], self.out[::-1][:3]
            return y * (1.0 + self.last)

    buffers = Buffers()
    sad.jacobian(buffers.f, X)
    buffers.first[0] = 1.0
    buffers.last[0] = 2.0
    np.testing.assert_array_equal(buffers.out, [1.0, 0.0, 0.0, 0.0, 0.0, 2.0])


class Keeping:
    """Keeps a matrix, views of it, and others in tuples."""

    matrix = None

    def f(self, y):
        if self.matrix is None:
            self.matrix = filled()
            self.row, self.pair = self.matrix[0], Pair((self.matrix.T, [np.ones(3)]), "pair")
            self.complex = np.full(3, 1j)
        return self.matrix @ y + self.pair.matrix[1][0] * self.complex.imag


def test_views_that_are_kept_share_memory():
    model, fresh = Keeping(), Keeping()
    sad.jacobian(model.f, X, backend="python")
    turned, (ones,) = model.pair.matrix
    assert all(type(array) is np.ndarray for array in (model.matrix, model.row, turned, ones, model.complex))
    assert np.shares_memory(model.matrix, model.row) and np.shares_memory(model.matrix, turned)
    np.testing.assert_array_equal(model.f(X), fresh.f(X))
    model.row[1] = 5.0
    assert model.matrix[0, 1] == turned[1, 0] == 5.0
