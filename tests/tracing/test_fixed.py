"""Arguments that are fixed at the preparation are compared by value: what has changed since is refused by name."""

from __future__ import annotations

import array
import copy
import pickle
from collections import OrderedDict, deque
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad
from sparsead.tracing import fixed

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


class Slots:
    """Has no dict of attributes."""

    __slots__ = ("__hidden", "weights")

    def __init__(self, hidden):
        self.weights, self.__hidden = np.arange(3), hidden

    def hide(self, hidden):
        self.__hidden = hidden


class SlotsAndMore(Slots):
    """Has both."""


class Named(list):
    """A list with attributes."""


class Unit(np.ndarray):
    """An array with attributes."""


def named(kind, *args, **attributes):
    made = kind(*args)
    made.__dict__.update(attributes)
    return made


def reordered(held):
    held["a"] = held.pop("a")


def of_objects(*held):
    made = np.empty(len(held), dtype=object)
    made[:] = held
    return made


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
    "slots": (lambda: Slots(1), lambda s: s.hide(2), "._Slots__hidden"),
    "array in a slot": (lambda: Slots(1), lambda s: first(s.weights), ".weights"),
    "slots and a dict": (lambda: named(SlotsAndMore, 1, z=1), lambda s: s.hide(2), "._Slots__hidden"),
    "deque": (lambda: deque([1, 2]), lambda d: d.rotate(), "[0]"),
    "array.array": (lambda: array.array("l", [1, 2]), first, ".view"),
    "bytes": (lambda: bytearray(3), first, ".view"),
    "attribute of a list": (lambda: named(Named, [1], k=1), lambda v: setattr(v, "k", 2), ".k"),
    "attribute of an array": (lambda: np.arange(3).view(Unit), lambda v: setattr(v, "k", 2), ".k"),
    "mask": (lambda: np.ma.array([1, 2], mask=[0, 1]), lambda v: setattr(v, "mask", [1, 0]), ".mask"),
    "array of objects": (lambda: of_objects([1], [2]), lambda v: v[1].append(3), "[1][1]"),
    "lil": (lambda: sp.lil_array(A), lambda m: m.__setitem__((0, 0), 7.0), ".data"),
    "long list in an object": (
        lambda: SimpleNamespace(l=list(range(20_000))), lambda o: o.l.__setitem__(15_000, 0), ".l (what it holds)"
    ),
    "order of keys in an object": (
        lambda: SimpleNamespace(d={"a": 1, "b": 2}), lambda o: reordered(o.d), ".d (the order of its keys)"
    ),
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


def test_tables_and_views_of_dicts_that_are_changed_in_place():
    held = {"a": 1}
    table = pytest.importorskip("pandas").DataFrame(held, index=[0])
    jac = sad.jacobian(lambda x, *args: 2.0 * x, X, MappingProxyType(held), table)
    assert jac(X, MappingProxyType({"a": 1}), table).nnz == 3
    table["a"] = [3]
    with pytest.raises(sad.InputError, match=r"argument 2\.array was fixed"):
        jac(X, MappingProxyType(held), table)
    held["a"] = 2
    with pytest.raises(sad.InputError, match=r"argument 1\['a'\] was fixed"):
        jac(X, MappingProxyType(held), table)


@pytest.mark.parametrize("value", [PurePosixPath("a/b"), Fraction(1, 3), Decimal("0.1")])
def test_what_is_hashed_by_its_value_is_compared_by_it(value):
    jac = sad.jacobian(lambda x, p: 2.0 * x, X, value)
    assert hash(value) and str(value)  # a path keeps both
    for other in (value, pickle.loads(pickle.dumps(value))):
        assert jac(X, other).nnz == 3


@dataclass
class Rate:
    k: float

    def __post_init__(self):
        self.squared, self.order = self.k**2, 2


@pytest.mark.parametrize("wrt", [0, 1])
def test_attributes_of_a_dataclass_that_are_no_fields_are_fixed(wrt):
    jac = sad.jacobian(lambda u, r: r.squared * u**r.order + r.k, X, Rate(2.0), argnum=wrt)
    kept = Rate(2.0)
    kept.k = 3.0
    assert jac(X, kept).shape == (3, 3 if wrt == 0 else 1)
    for call in (jac, jac.values, jac.value, jac.value_and_jacobian):
        with pytest.raises(sad.InputError, match=r"squared was fixed when .*: 4\.0 then, 9\.0 now"):
            call(X, Rate(3.0))
    del kept.order
    with pytest.raises(sad.InputError, match=r"order was fixed when .*: 2 then, not there now"):
        jac(X, kept)
    kept.order, kept.later = 2, 5  # computed later: not read
    assert jac(X, kept).nnz == 3


@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_a_dict_keeps_the_order_in_which_a_function_walks_over_it(kind):
    def horner(u, terms):
        y = u
        for term in terms.values():
            y = y * u + term * u
        return y

    jac = sad.jacobian(horner, X, kind(a=2.0, b=3.0))
    assert np.allclose(jac(X, kind(a=5.0, b=7.0)).diagonal(), 3 * X**2 + 10 * X + 7.0)
    for call in (jac, jac.values, jac.value, lambda x, d: jac.batch(x[None], d)):
        with pytest.raises(sad.InputError, match="order b, a; it was a, b when"):
            call(X, kind(b=7.0, a=5.0))


def test_directions_and_weights_are_taken_by_name():
    jac = sad.jacobian(lambda s: {"p": s["a"] ** 2, "q": s["b"] * s["a"][0]}, {"a": X, "b": 2.0})
    state = {"a": X, "b": 3.0}
    matrix = jac(state)
    assert np.allclose(sad.pack(jac.jvp(state, {"b": 1.0, "a": X})), matrix @ np.append(X, 1.0))
    assert np.allclose(sad.pack(jac.vjp(state, {"q": 1.0, "p": X})), matrix.T @ np.append(X, 1.0))


def test_copies_of_tables_are_equal():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"k": [1, 2, 3], "word": ["a", "b", "c"]}, index=[5, 6, 7])
    jac = sad.jacobian(lambda x, t, s: x * t["k"].to_numpy() * s.to_numpy(), np.ones(3), table, table["k"])
    for given in (table, table.copy()):
        np.testing.assert_array_equal(jac(np.ones(3), given, given["k"].copy()).diagonal(), [1.0, 4.0, 9.0])
    others = [table.rename(columns={"word": "w"}), table.set_index(np.arange(3)), table.astype({"k": np.int8})]
    for other in (*others, table.replace("c", "d"), table[::-1]):
        with pytest.raises(sad.InputError, match="was fixed"):
            jac(np.ones(3), other, table["k"])


def test_parts_of_tables():
    pd = pytest.importorskip("pandas")
    index = pd.RangeIndex(4)
    known = fixed.snapshot(index)
    index.get_loc(2), index.to_numpy()  # fills its caches
    assert fixed.difference(known, index) is None
    assert fixed.difference(known, pd.RangeIndex(5)) is not None
    wide = pd.DataFrame(np.ones((2, 80)))
    assert fixed.difference(fixed.snapshot(wide), wide.copy()) is None
    assert fixed.difference(fixed.snapshot(wide), wide.astype({40: np.float32}))[0].startswith(".dtypes")
    named = wide[3]
    assert fixed.difference(fixed.snapshot(named), named.rename("other"))[0] == ".name"
