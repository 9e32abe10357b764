"""What a function keeps from the run in which it was traced: ndarrays where it was constant, refused where not."""

from __future__ import annotations

import functools
from collections import deque, namedtuple
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


def test_all_parts_of_a_tuple_become_ndarrays():
    kept = {}

    def f(y):
        kept.setdefault("both", Pair((filled(), "A"), filled()))
        return kept["both"].matrix[0] @ y + kept["both"].name @ y

    jac = sad.jacobian(f, X)
    (first, _), second = kept["both"]
    assert type(kept["both"]) is Pair
    assert type(first) is type(second) is np.ndarray
    np.testing.assert_array_equal(jac(X).toarray(), 2 * filled())


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
    for _ in range(3):  # each time: what the time before has left must not hide it
        with pytest.raises(sad.SparseADError, match=f"keeps a traced value {place}: "):
            sad.jacobian(f, X, check=False)
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


def kept_in_many_places():
    kept = {"first": {}, "steps": [], "last": deque(maxlen=2), "slot": Slotted()}

    def f(y):
        kept["first"]["u"] = kept["slot"].D = y[::-1]
        kept["first"]["v"] = kept["first"]["u"][1:]
        kept["steps"].append(np.sum(y) > 1.0)
        kept["last"].append(y * (1.0 + 2.0j))
        kept["pair"] = Pair(np.cumsum(y), [y[0] * y[1]])
        return y**2

    return f, kept


def test_what_depended_on_x_has_its_values_at_the_point_of_the_trace_afterwards():
    f, kept = kept_in_many_places()
    with pytest.raises(sad.SparseADError, match="keeps a traced value"):
        sad.jacobian(f, X)
    again, expected = kept_in_many_places()
    again(X)
    assert np.shares_memory(kept["first"]["u"], kept["first"]["v"])
    assert kept["first"]["u"] is kept["slot"].D
    for name, places in {"first": "uv", "last": [0], "steps": [0], "pair": [0]}.items():
        for place in places:
            assert type(kept[name][place]) is type(expected[name][place])
            np.testing.assert_allclose(kept[name][place], expected[name][place], rtol=1e-15)
    assert kept["pair"].name == expected["pair"].name


def test_a_refused_trace_leaves_ndarrays_too():
    class Model(Attribute):
        def f(self, y):
            value = super().f(y)
            self.last = value
            return value if value[0] > 0.0 else y

    model, fresh = Model(), Model()
    with pytest.raises(sad.TracedBranchError):
        sad.jacobian(model.f, X)
    np.testing.assert_array_equal(model.last, filled() @ X)
    np.testing.assert_array_equal(model.f(X), fresh.f(X))
    assert type(model.D) is np.ndarray


def test_a_workspace_that_f_allocates_and_keeps_is_refused_and_an_array_afterwards():
    spaces = {}

    def f(y):
        out = spaces.setdefault("out", np.empty(3))
        out[:] = y**2
        return out * 1.0

    with pytest.raises(sad.SparseADError, match="in a dict, under 'out'"):
        sad.jacobian(f, X, check=False)
    assert type(spaces["out"]) is np.ndarray
    np.testing.assert_array_equal(f(X), X**2)


def test_errors_that_are_kept_by_others_keep_nothing():
    """As those that a module keeps whose import failed, while code that the function calls asked for it."""
    kept = []

    def asked(y):
        doubled = y * 2.0
        try:
            raise ImportError("no such module")
        except ImportError as error:
            kept.append(error)
        return doubled

    jac = sad.jacobian(lambda x: asked(x) ** 2, np.ones(3))
    np.testing.assert_array_equal(jac(np.ones(3)).diagonal(), 8.0)
    assert kept[0].__traceback__ is not None
