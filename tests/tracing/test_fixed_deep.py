"""What stands behind fixed arguments: bound arguments, closures, classes, objects at any depth, cycles."""

from __future__ import annotations

import copy
import functools
from types import SimpleNamespace

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.5, 1.5, 2.5])


class Model:
    order = 2
    sizes = {"k": 2}  # noqa: RUF012  (it is changed in place)

    def __init__(self):
        self.own = 2

    def times(self, x):
        return self.own * x


def of_a_class():
    return type("Fresh", (Model,), {"order": 2, "sizes": {"k": 2}})


def closure():
    held = {"k": 2}

    def times(x):
        return held["k"] * x

    times.held = held
    return times


SCALE, TABLE, order = 2, {"k": 2}, 2


def by_global(x):
    return SCALE * x


def by_others(x):
    scaled = [by_global(v) * TABLE["k"] / 2 for v in (x, x)]
    return scaled[0]


def by_attribute(x):
    return Model.order * x


def nested(deep):
    value = top = SimpleNamespace(k=2)
    for _ in range(deep):
        top = SimpleNamespace(inside=[top])
    return SimpleNamespace(top=top, near={"k": value})


def around():
    value = SimpleNamespace(k=2, list=[])
    value.list += [value, {"me": value}]
    return value


def bound(*args):
    return functools.partial(lambda c, x: c[0] * x, *args)


# What makes an argument, what changes it in place, and what is computed with it.
CASES = {
    "argument of a partial": (lambda: bound([2]), lambda p: p.args[0].__setitem__(0, 5), lambda x, p: p(x)),
    "array of a partial": (lambda: bound(np.array([2])), lambda p: p.args[0].fill(5), lambda x, p: p(x)),
    "keyword": (
        lambda: functools.partial(lambda x, c: c["k"] * x, c={"k": 2}),
        lambda p: p.keywords["c"].update(k=5),
        lambda x, p: p(x),
    ),
    "bound method": (lambda: Model().times, lambda p: setattr(p.__self__, "own", 5), lambda x, p: p(x)),
    "closure": (closure, lambda p: p.held.update(k=5), lambda x, p: p(x)),
    "class attribute": (lambda: of_a_class()(), lambda p: setattr(type(p), "order", 5), lambda x, p: p.order * x),
    "in a class": (lambda: of_a_class()(), lambda p: p.sizes.update(k=5), lambda x, p: p.sizes["k"] * x),
    "class": (of_a_class, lambda p: p.sizes.update(k=5), lambda x, p: p.sizes["k"] * x),
    "more of a class": (of_a_class, lambda p: setattr(p, "also", 5), lambda x, p: getattr(p, "also", 2) * x),
    "seven deep": (lambda: nested(7), lambda p: p.near.update(k=5), lambda x, p: p.near["k"].k * x),
    "a hundred deep": (lambda: nested(100), lambda p: setattr(p.near["k"], "k", 5), lambda x, p: p.near["k"].k * x),
    "in a global": (lambda: by_others, lambda p: TABLE.update(k=5), lambda x, p: p(x)),
    "around itself": (around, lambda p: setattr(p, "k", 5), lambda x, p: p.list[1]["me"].k * x),
    "turned in a cycle": (around, lambda p: p.list.reverse(), lambda x, p: p.list[0].k * x),
}


@pytest.mark.parametrize("name", CASES)
def test_changes_behind_an_argument_are_seen(name):
    make, change, use = CASES[name]
    value = make()
    jac = sad.jacobian(use, X, value)
    np.testing.assert_array_equal(jac(X, value).diagonal(), [2.0, 2.0, 2.0])
    change(value)
    with pytest.raises(sad.InputError, match="was fixed when the derivative was prepared"):
        jac(X, value)
    TABLE.update(k=2)


@pytest.mark.parametrize("name", [name for name in CASES if "hundred" not in name])
def test_they_are_looked_at_by_the_code_that_takes_arguments_apart(name):
    make, _, use = CASES[name]
    value = make()
    jac = sad.jacobian(use, X, value)
    for _ in range(3):
        jac(X, value)
    assert jac._unchanged_inputs((X, value)) is not None


@pytest.mark.parametrize(("name", "value"), [("SCALE", 5), ("by_global", by_attribute), ("TABLE", {"k": 2, "l": 3})])
def test_globals_of_functions_among_the_arguments_are_compared(name, value, monkeypatch):
    jac = sad.jacobian(lambda x, f: f(x), X, by_others)
    with monkeypatch.context() as m:
        m.setitem(globals(), name, value)
        m.setitem(globals(), "order", 5)
        with pytest.raises(sad.InputError, match=rf"__globals__\['{name}'\].* was fixed when"):
            jac(X, by_others)
        m.delitem(globals(), name)
        with pytest.raises(sad.InputError, match="not there"):
            jac(X, by_others)
    np.testing.assert_array_equal(jac(X, by_others).diagonal(), [2.0, 2.0, 2.0])


def test_a_global_of_the_name_of_an_attribute_is_none_that_is_read(monkeypatch):
    jac = sad.jacobian(lambda x, f: f(x), X, by_attribute)
    monkeypatch.setitem(globals(), "order", 5)
    np.testing.assert_array_equal(jac(X, by_attribute).diagonal(), [2.0, 2.0, 2.0])


@pytest.mark.parametrize("shared", [True, False])
def test_objects_that_are_equal_may_be_shared_or_not(shared):
    def pair(shared):
        one = SimpleNamespace(k=2, deep={"a": [1, 2]})
        return SimpleNamespace(first=one, second=one if shared else copy.deepcopy(one), third=around())

    jac = sad.jacobian(lambda x, p: p.first.k * x * p.second.k, X, pair(shared))
    for again in (pair(shared), pair(not shared), copy.deepcopy(pair(not shared))):
        np.testing.assert_array_equal(jac(X, again).diagonal(), [4.0, 4.0, 4.0])
        again.second.deep["a"][1] = 3
        with pytest.raises(sad.InputError, match="was fixed"):
            jac(X, again)


def cyclic(value):
    value["me" if isinstance(value, dict) else slice(0, 0)] = value if isinstance(value, dict) else [value]
    return value


def far(deep):
    value = X
    for _ in range(deep):
        value = {"inside": value}
    return value


@pytest.mark.parametrize("value", [cyclic({"k": X}), cyclic([X]), far(5000)], ids=["dict", "list", "far"])
def test_containers_that_contain_themselves_are_refused(value):
    with pytest.raises(sad.InputError, match="contains itself"):
        sad.jacobian(lambda x, p: x, X, value)
    with pytest.raises(sad.InputError, match="contains itself"):
        sad.jacobian(lambda p: X, value)


@pytest.mark.parametrize("value", [iter([1, 2]), zip([1], [2], strict=True), (k for k in "ab")])
def test_what_is_used_up_is_refused(value):
    with pytest.raises(sad.InputError, match="used up"):
        sad.jacobian(lambda x, p: x, X, value)
