"""Arrays that a function computes from arrays of the program around take what depends on x; those themselves do not."""

from __future__ import annotations

import dataclasses
import functools
import pickle
import threading
import types
from collections import namedtuple

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

import sparsead as sad
from sparsead.errors import UnsupportedOperationError
from tests.reference import differences

X = np.array([0.7, -1.3])
FREE = np.array([1, 3])
BASE = np.array([0.5, 1.5, 2.5, 3.5])
PHASES = np.exp(1j * BASE)
Pair = namedtuple("Pair", "first second")

MADE = {
    "copy": lambda a: a.copy(),
    "minus": lambda a: -a,
    "plus": lambda a: 1.0 + a,
    "sqrt": lambda a: np.sqrt(a),
    "picked": lambda a: a[[3, 2, 1, 0]],
    "repeat": lambda a: np.repeat(a, 2)[:4],
    "concatenate": lambda a: np.concatenate([a[:2], a[2:]]),
    "diag": lambda a: np.diag(a).sum(axis=0),
    "strided": lambda a: np.zeros(8)[::2] + a,
    "astype": lambda a: a.astype(float),
    "array": lambda a: np.array(a),
    "like": lambda a: np.zeros_like(a),
    "where": lambda a: np.where(a > 1.0, a, 0.0),
    "reshaped": lambda a: (2.0 * a).reshape(2, 2).ravel(),
    "two": lambda a: np.outer(a, a)[1],
}
WRITTEN = {
    "places": lambda p, x: p.__setitem__(FREE, x),
    "one": lambda p, x: p.__setitem__(1, x[0] * x[1]),
    "slice": lambda p, x: p[1:3].__imul__(x),
    "add": lambda p, x: np.add(p, x[0], out=p),
    "put": lambda p, x: np.put(p, FREE, x),
    "copyto": lambda p, x: np.copyto(p[:2], x),
    "at": lambda p, x: np.add.at(p, FREE, x),
    "fill": lambda p, x: p.fill(x[0]),
}


class Constants:
    base = BASE.copy()


class Model(Constants):
    scale = np.full(4, 2.0)

    def __init__(self, make, write):
        self.own, self.make, self.write = BASE.copy(), make, write

    def residual(self, x):
        p = self.make(self.own)
        self.write(p, x)
        return p * p[::-1]

    def __call__(self, x):
        p = self.make(self.base)
        self.write(p, x)
        return p * p[::-1] * self.scale


@dataclasses.dataclass(frozen=True)
class Frozen:
    array: np.ndarray
    inside: Pair


def sources(make, write):
    """Yield functions that read the same array from different places."""

    def combined(a, x):
        p = make(a)
        write(p, x)
        return p * p[::-1]

    local, pair, named = BASE.copy(), Pair(BASE.copy(), (BASE.copy(),)), {"a": [BASE.copy()]}
    space, frozen = types.SimpleNamespace(a=BASE.copy()), Frozen(BASE.copy(), Pair(BASE.copy(), 1))
    model, plain = Model(make, write), Constants()

    def closure(x):
        return combined(local, x)

    def default(x, a=local):
        return combined(a, x)

    def keyword(x, *, a=local):
        return combined(a, x)

    def inner(x):
        return (lambda: combined(local, x))()

    yield from (closure, default, keyword, inner, model.residual, model)
    yield lambda x: combined(BASE, x)
    yield lambda x: combined(Constants.base, x)
    yield lambda x: combined(plain.base, x)
    yield lambda x: combined(pair.first, x)
    yield lambda x: combined(pair.second[0], x)
    yield lambda x: combined(named["a"][0], x)
    yield lambda x: combined(space.a, x)
    yield lambda x: combined(frozen.inside.first, x)
    yield functools.partial(lambda x, a: combined(a, x), a=local)
    yield functools.partial(lambda a, x: combined(a, x), local)


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("written", WRITTEN)
def test_what_is_computed_from_outside_takes_unknowns(made, written):
    first = list(MADE).index(made) + 2 * list(WRITTEN).index(written)
    for number, f in list(enumerate(sources(MADE[made], WRITTEN[written])))[first % 4 :: 4]:
        jac = sad.jacobian(f, X, backend="python")
        np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14, err_msg=f"source {number}")
        np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7, err_msg=f"{number}")


@pytest.mark.parametrize("view", [lambda a: a[::-1], lambda a: a.reshape(2, 2).T, lambda a: a[1:3], lambda a: a[::2]])
def test_views_from_outside(view):
    outer = view(BASE)

    def f(x):
        p = outer.copy()
        p.reshape(-1)[:2] = x
        return np.concatenate([p.ravel() ** 2, outer.ravel()])

    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)
    with pytest.raises(UnsupportedOperationError, match="plain array"):
        sad.jacobian(lambda x: outer.__setitem__(Ellipsis, x[0]), X)


@pytest.mark.parametrize("part", ["abs", "angle", "real", "imag"])
def test_parts_of_complex_arguments(part):
    def f(x, held):
        p = getattr(np, part)(held["V"][0]) * 1.0
        p[FREE] = x
        return p**2

    held = {"V": [PHASES]}
    jac = sad.jacobian(f, X, held)
    np.testing.assert_allclose(jac(X, held).toarray(), differences(lambda x: f(x, held), X), rtol=1e-6, atol=1e-7)
    assert held["V"][0] is PHASES


def views():
    yield lambda a: a
    yield lambda a: a[::-1]
    yield lambda a: a.reshape(2, 2).T
    yield lambda a: np.asarray(a)
    yield lambda a: np.atleast_1d(a)[:]


@pytest.mark.parametrize("view", list(views()))
@pytest.mark.parametrize("place", ["global", "attribute", "default"])
def test_memory_from_outside_does_not_take_unknowns(view, place):
    space, before = types.SimpleNamespace(a=BASE.copy()), BASE.copy()

    def f(x, a=space.a):
        source = {"global": BASE, "attribute": space.a, "default": a}[place]
        view(source)[..., :1] = x[0]
        return source * 1.0

    with pytest.raises(UnsupportedOperationError, match="plain array") as met:
        sad.jacobian(f, X)
    assert "test_captured.py" in str(met.value)
    np.testing.assert_array_equal(BASE, before)
    np.testing.assert_array_equal(space.a, before)


def test_the_real_part_is_memory_of_a_complex_array():
    def f(x):
        np.real(PHASES)[:2] = x
        return x * 1.0

    with pytest.raises(UnsupportedOperationError):
        sad.jacobian(f, X)


def test_everything_is_as_it_was_afterwards():
    space, kept, local = types.SimpleNamespace(a=BASE.copy(), seen=[]), [BASE, PHASES], BASE.copy()

    def f(x, a=local):
        p, q = kept[0].copy(), a + space.a
        p[FREE], q[:2] = x, x
        space.seen.append(float(local[0]))
        space.total = local.sum()
        return p * q

    before = BASE, space.a, list(kept), local, f.__defaults__[0]
    sad.jacobian(f, X)
    assert all(
        a is b
        for a, b in zip(before, (BASE, space.a, kept, local, f.__defaults__[0]), strict=True)
        if a is not before[2]
    )
    assert all(a is b for a, b in zip(before[2], kept, strict=True))
    assert type(space.total) is np.float64
    assert set(space.seen) == {0.5}


def test_what_is_rebound_meanwhile_stays():
    space = types.SimpleNamespace(a=BASE.copy())

    def f(x):
        p = space.a.copy()
        p[FREE] = x
        space.a = np.full(4, 9.0)
        return p * 2.0

    sad.jacobian(f, X, check=False)
    np.testing.assert_array_equal(space.a, np.full(4, 9.0))
    assert type(space.a) is np.ndarray


def test_the_first_refusal_is_told_where_constant_arrays_do_not_help():
    counts = np.zeros(4, dtype=int)

    def f(x):
        counts[FREE] = x
        return x

    with pytest.raises(UnsupportedOperationError, match="of integers"):
        sad.jacobian(f, X)


def test_other_threads_compute_with_arrays():
    space, found = types.SimpleNamespace(a=BASE.copy()), []

    def elsewhere():
        a = space.a
        results = a.copy(), a[1:], a[[0, 2]], a * 2.0, np.sort(a), a.reshape(2, 2), np.concatenate([a, a]), a.sum()
        found.append([type(result) for result in results])
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(a)), BASE)
        found.append(float(sum(np.sum(result) for result in results)))

    def f(x):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        p = space.a.copy()
        p[FREE] = x
        return p

    sad.jacobian(f, X, check=False)
    elsewhere()
    assert len(found) == 6  # refused at first, then traced
    assert found[0] == found[2] == found[4]
    assert found[1] == found[3] == found[5]


def test_branches_are_recorded_once():
    def f(x):
        p = BASE.copy()
        if x[0] > 0.0:
            p[FREE] = x
        return p * 2.0

    guarded = sad.jacobian(f, X, guard="record")
    np.testing.assert_allclose(guarded(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(guarded(-X).toarray(), 0.0)


def test_hessians_and_nested_derivatives():
    def energy(x):
        p = BASE.copy()
        p[FREE] = x
        return np.sum(p**3)

    np.testing.assert_allclose(sad.hessian(energy, X)(X).toarray(), np.diag(6.0 * X))
    gradient = sad.gradient(energy, X)
    np.testing.assert_allclose(sad.jacobian(lambda x: gradient(x), X)(X).toarray(), np.diag(6.0 * X))


@pytest.mark.parametrize("refused", [np.unique, scipy.linalg.sqrtm, lambda x: scipy.optimize.minimize(np.sum, x[0]).x])
def test_what_has_no_rule_is_traced_once(refused):
    ones, calls = np.ones((2, 2)), []

    def f(x):
        calls.append(None)
        return refused(ones * x)

    with pytest.raises(sad.SparseADError):
        sad.jacobian(f, np.ones(2))
    assert len(calls) == 1
