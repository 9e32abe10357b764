"""Arguments that are fixed at the preparation are compared by value: what has changed since is refused by name."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad

X = np.array([0.5, 1.5, 2.5])
A = sp.csr_array(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [4.0, 0.0, 5.0]]))


@dataclass
class Model:
    order: int
    matrix: object


def scaled(matrix):
    matrix.data *= 5.0


def moved(matrix):
    matrix.indices[:2] = matrix.indices[:2][::-1].copy()


def first(array):
    array[0] = 2


FIXED = {
    "csr": (lambda: A.copy(), scaled, ".data"),
    "csc": (lambda: sp.csc_array(A.copy()), scaled, ".data"),
    "coo": (lambda: sp.coo_array(A.copy()), scaled, ".data"),
    "dia": (lambda: sp.dia_array(A.copy()), scaled, ".data"),
    "bsr": (lambda: sp.bsr_array(A.copy()), scaled, ".data"),
    "order of indices": (lambda: A.copy(), moved, ".indices"),
    "integers": (lambda: np.array([0, 2, 1]), first, ""),
    "truth values": (lambda: np.array([False, True, True]), first, ""),
    "inside a dict": (lambda: {"i": np.array([0, 2, 1])}, lambda d: first(d["i"]), ".i"),
    "number in a list": (lambda: [1, 2, 3], lambda v: v.__setitem__(1, 5), ".1"),
    "dataclass": (lambda: Model(2, A.copy()), lambda m: scaled(m.matrix), ".matrix.data"),
    "order of a dataclass": (lambda: Model(2, A.copy()), lambda m: setattr(m, "order", 3), ".order"),
    "objects": (
        lambda: SimpleNamespace(inner=SimpleNamespace(weights=np.ones(3))),
        lambda m: m.inner.weights.__setitem__(1, 7.0),
        ".inner.weights",
    ),
    "list in an object": (lambda: SimpleNamespace(names=["x"]), lambda m: m.names.append("z"), ".names[1]"),
    "set": (lambda: {1, 2}, lambda s: s.add(3), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_changes_in_place_are_seen_and_named(name):
    make, change, part = FIXED[name]
    value = make()
    jac = sad.jacobian(lambda x, p: 2.0 * x, X, value)
    jac(X, value)
    jac(X, copy.deepcopy(value))
    change(value)
    for call in (jac, jac.value, jac.values):
        with pytest.raises(sad.InputError, match="prepare again") as error:
            call(X, value)
        assert str(error.value).startswith(f"argument 1{part} was fixed when the derivative was prepared: ")


@pytest.mark.parametrize("name", FIXED)
def test_another_value_of_the_same_kind_is_refused(name):
    make, change, _ = FIXED[name]
    other = make()
    change(other)
    hess = sad.hessian(lambda x, p: np.sum(x**2), X, make())
    with pytest.raises(sad.InputError, match="was fixed when the derivative was prepared"):
        hess(X, other)


def test_floats_in_containers_are_runtime_values():
    p = {"k": 2.0, "n": 3}
    jac = sad.jacobian(lambda x, p: p["k"] * p["n"] * x, X, p)
    p["k"] = 7.0
    np.testing.assert_array_equal(jac(X, p).diagonal(), 21.0)


def test_what_the_function_itself_writes_is_not_compared():
    def f(x, work):
        work.count += 1
        work.seen["n"] = x.size
        return work.factor * x

    work = SimpleNamespace(count=0, seen={}, factor=2.0)
    jac = sad.jacobian(f, X, work)
    f(X, work)
    np.testing.assert_array_equal(jac(X, work).diagonal(), 2.0)
    work.factor = 3.0
    with pytest.raises(sad.InputError, match=r"argument 1\.factor was fixed .*: 2\.0 then, 3\.0 now"):
        jac(X, work)


def test_functions_and_modules_are_the_same_or_not():
    jac = sad.jacobian(lambda x, g, m: g(x), X, np.sin, np)
    jac(X, np.sin, np)
    with pytest.raises(sad.InputError, match="argument 1 was fixed"):
        jac(X, np.cos, np)


@pytest.mark.parametrize(
    ("x0", "words"),
    [
        (None, "x is None; expected an array"),
        (sp.eye_array(3), "x is a sparse matrix"),
        ([[1.0, 2.0], [3.0]], "x is a ragged list"),
        ("abc", "x has dtype|x is of type str"),
        (np.ma.array([1.0, 2.0], mask=[True, False]), "x is a masked array, whose mask would be lost"),
        (np.matrix([1.0, 2.0]), "x is a np.matrix"),
        (np.sin, "x is a function, sin .are the arguments in order"),
        (np.array([1j]), "x has dtype complex128"),
        ({"n": 3}, "holds no float and no float array"),
    ],
)
@pytest.mark.parametrize("prepare", [sad.jacobian, sad.hessian, sad.gradient])
def test_examples_that_are_no_arrays(prepare, x0, words):
    with pytest.raises(sad.InputError, match=words):
        prepare(lambda x: x, x0)


def test_swapped_arguments():
    with pytest.raises(sad.InputError, match="expected a function first, then the example arguments; got ndarray"):
        sad.jacobian(X, lambda x: x)
    with pytest.raises(sad.InputError, match=r"check expects what sparsead\.jacobian, .* got function; prepare first"):
        sad.check(lambda x: x, X)


@pytest.mark.parametrize("x", [np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), np.matrix([1.0, 2.0, 3.0])])
def test_points_that_are_no_plain_arrays(x):
    with pytest.raises(sad.InputError, match=r"x is a (masked array|np\.matrix)"):
        sad.jacobian(lambda x: x, X)(x)


@dataclass
class Table:
    weights: sp.csr_array
    rows: np.ndarray
    scale: np.ndarray


def test_what_was_equal_once_is_still_looked_at():
    """An object that is passed again and again is compared fast, and noticed where it changes in any way."""
    table = Table(sp.csr_array(np.eye(4)), np.array([3, 1, 2]), np.ones(3))
    x = np.arange(1.0, 5.0)
    jac = sad.jacobian(lambda x, t: (t.weights @ x)[t.rows] * t.scale, x, table)
    changes = [
        lambda: table.weights.data.__setitem__(1, 7.0),
        lambda: table.rows.__setitem__(0, 0),
        lambda: setattr(table.weights, "data", table.weights.data * 2.0),
        lambda: setattr(table, "rows", table.rows[::-1].copy()),
        lambda: setattr(table.weights, "indices", table.weights.indices[::-1].copy()),
        lambda: setattr(table.rows, "shape", (3, 1)),
    ]
    before = table.weights.data, table.weights.indices, table.rows
    for change in changes:
        saved = [held.copy() for held in before]
        for _ in range(2):  # the first call remembers, the second one makes use of it
            np.testing.assert_array_equal(jac(x, table).toarray(), np.eye(4)[[3, 1, 2]])
        change()
        with pytest.raises(sad.InputError, match="fixed"):
            jac(x, table)
        before[2].shape = (3,)
        table.weights.data, table.weights.indices, table.rows = before
        for held, old in zip(before, saved, strict=True):
            held[...] = old
    table.scale[:] = 2.0  # a float array may change
    np.testing.assert_array_equal(jac(x, table).toarray(), 2.0 * np.eye(4)[[3, 1, 2]])
