"""Code that takes arguments apart accepts nothing that the general way refuses, and finds the same leaves."""

from __future__ import annotations

import copy
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from functools import cached_property, partial
from types import MethodType, SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad
from sparsead.derivatives.fast_calls import unchanged_inputs
from sparsead.tracing.arguments import signature_of

X = np.array([0.5, 1.5, 2.5])
SEEDS = range(300)
Pair = namedtuple("Pair", "first second")


@dataclass
class Held:
    one: object
    two: object

    def both(self):
        return self.one, self.two


class Slots:
    """Has no dict of attributes."""

    __slots__ = ("held",)

    def __init__(self, held):
        self.held = held


class Named(list):
    """A list with attributes."""


def with_more(value, **more):
    value.__dict__.update(more)
    return value


class Rng:
    """Draws values that may be arguments, nested."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def value(self, depth=3):
        if depth == 0 or self.rng.random() < 0.4:
            return self.leaf()
        a, b = self.value(depth - 1), self.value(depth - 1)
        return self.pick([
            {"a": a, 7: b}, OrderedDict(p=a, q=b), [a, b], (a, b), Pair(a, b), Held(a, b),
            SimpleNamespace(u=a, v=b), defaultdict(list, k=a), SimpleNamespace(d={"x": a}, l=[b]),
            partial(np.add, a, out=b), SimpleNamespace(one=a, same=[a], two=b), SimpleNamespace(f=Held(a, b).both),
            Slots(a), with_more(Held(a, 1.0), more=b), with_more(Named([a]), more=b), SimpleNamespace(s=Slots(b)),
        ])  # fmt: skip

    def leaf(self):
        r = self.rng
        array = r.integers(0, 5, (4, 6))
        return self.pick([
            1.5, int(r.integers(9)), "text", None, True, np.float64(2.0), np.int32(3), np.sin, float("nan"),
            r.random(3), r.random((3, 2))[:, 0], r.random((2, 3)).T, array, array[:, 1], array[::2, ::-1], array.T,
            array > 2, np.array(3), r.random(4).astype(np.float32), np.array(["a", "b"]), np.zeros((0, 3), int),
            sp.csr_array(array), sp.csc_array(array * 0.5), sp.coo_array(array), sp.dia_array(array), {1, 2},
            sp.csr_array((r.random((3, 2))[:, 0], ([0, 1, 2], [1, 2, 0]))), sp.lil_array(array), sp.bsr_array(array),
            np.array([1, "a", None], dtype=object), bytearray(b"abc"), deque([1, 2]), np.ma.array(array[0]),
        ])  # fmt: skip

    def pick(self, options):
        return options[self.rng.integers(len(options))]

    def changed(self, value):
        """Return a copy in which something may be otherwise."""
        r = self.rng
        if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "biuf":
            kind = r.integers(4)
            if kind == 0:
                return value.astype(np.int16)
            if kind == 1:
                return np.asfortranarray(value)
            new = value.copy()
            new.flat[r.integers(new.size)] = new.flat[r.integers(new.size)] if kind == 2 else 4
            return new
        if sp.issparse(value) and value.format in ("csr", "csc", "dia", "bsr"):
            new = value.copy()
            kind = r.integers(4)
            if kind == 0 and value.format in ("csr", "csc"):
                new.indices = self.changed(new.indices)
            elif kind == 1:
                new.note = r.random(2)
            elif kind == 2:
                new = type(value)(new, shape=new.shape)
            else:
                new.data = self.changed(new.data)
            return new
        if isinstance(value, dict):
            new = copy.copy(value)
            key = list(new)[r.integers(len(new))]
            kind = r.integers(5)
            if kind == 0:
                new["more"] = 1
            elif kind == 4:
                new[key] = new.pop(key)
            elif kind == 1:
                new["other"] = new.pop(key)
            else:
                new[key] = self.changed(new[key])
            return new
        if isinstance(value, list):
            return [self.changed(v) for v in value] if r.random() < 0.8 else [*value, 1]
        if isinstance(value, Pair):
            return Pair(self.changed(value.first), value.second)
        if isinstance(value, tuple):
            return (value[0], self.changed(value[1])) if r.random() < 0.8 else list(value)
        if isinstance(value, Held):
            new = copy.copy(value)
            key = self.pick([*vars(new)])
            return with_more(new, **{key: self.changed(getattr(new, key))})
        if isinstance(value, Slots):
            return Slots(self.changed(value.held))
        if isinstance(value, partial):
            return partial(value.func, *map(self.changed, value.args), **self.pick([{}, value.keywords]))
        if isinstance(value, MethodType):
            return self.changed(value.__self__).both
        if isinstance(value, SimpleNamespace):
            new = copy.copy(value)
            key = next(iter(vars(new)))
            setattr(new, key, self.changed(getattr(new, key)))
            return new
        return self.leaf() if r.random() < 0.7 else value


def same_arrays(found, wanted):
    return all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True) for a, b in zip(found, wanted, strict=True))


def test_what_is_accepted_is_what_the_general_way_accepts():
    accepted = refused = 0
    for seed in SEEDS:
        draw = Rng(seed)
        args = (X, draw.value(), draw.value())
        signature = signature_of(lambda x, a, b: x, args, 0)
        fast = unchanged_inputs(signature)
        for again in (args, copy.deepcopy(args), (X, draw.changed(args[1]), args[2]), (X, args[2], args[1])):
            try:
                wanted = signature.convert(again)
            except sad.InputError:
                wanted = None
            try:
                found = fast(again)
            except sad.InputError:  # a leaf of another shape
                found = None
            if found is not None:
                assert wanted is not None, (seed, again)
                assert same_arrays(found, wanted), seed
            accepted += found is not None
            refused += wanted is None
    assert accepted > 100
    assert refused > 200


def test_arguments_are_not_changed_by_the_look():
    """A dict that makes up what it is asked for is left to the general way, which asks for nothing."""
    table = defaultdict(list, rows=np.arange(3))
    jac = sad.jacobian(lambda x, t: x[t["rows"]] ** 2, X, table)
    other = defaultdict(list, lines=np.arange(3))
    with pytest.raises(sad.InputError, match="fixed"):
        jac(X, other)
    assert list(other) == ["lines"]


class Lazy:
    """Has an attribute that is computed once, and one that raises."""

    def __init__(self):
        self.rows = np.arange(3)

    @cached_property
    def count(self):
        return self.rows.size

    @property
    def broken(self):
        raise RuntimeError("not to be asked for")


def test_attributes_that_are_computed_are_not_asked_for():
    table = Lazy()
    jac = sad.jacobian(lambda x, t: x[t.rows] ** 2, X, table)
    for _ in range(3):
        np.testing.assert_array_equal(jac(X, table).diagonal(), 2.0 * X)
    assert jac._unchanged_inputs((X, table)) is not None
    assert "count" not in vars(table)


def test_a_look_that_raises_leaves_it_to_the_general_way():
    @dataclass
    class Table:
        scale: float

        def __getattribute__(self, name):
            if name == "scale" and object.__getattribute__(self, "__dict__").get("shut"):
                raise RuntimeError("shut")
            return object.__getattribute__(self, name)

    jac = sad.jacobian(lambda x, t: t.scale * x, X, Table(2.0))
    table = Table(3.0)
    np.testing.assert_array_equal(jac(X, table).diagonal(), 3.0)
    table.shut = True
    with pytest.raises(RuntimeError, match="shut"):
        jac(X, table)


def test_long_containers_go_the_general_way():
    counts = list(range(1000))
    jac = sad.jacobian(lambda x, c: x * c[2], X, counts)
    assert jac.signature.unpacked() is None
    np.testing.assert_array_equal(jac(X, counts).diagonal(), 2.0)
    counts[999] = 7
    with pytest.raises(sad.InputError, match="fixed"):
        jac(X, counts)
