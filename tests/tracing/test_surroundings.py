"""What a function reads from outside is remembered, and what has changed there is named by a check that fails."""

import functools

import numpy as np
import pytest

import sparsead as sad
from sparsead.tracing.surroundings import Surroundings

SCALE = 2.0
TABLE = {"a": np.arange(3.0), "steps": [1, 2]}
X = np.ones(3)


class Model:
    rate = 3.0

    def __init__(self):
        self.k = np.ones(3)
        self.mesh = np.ones((1000, 1000))
        self.unread = 0

    def __call__(self, u):
        return self.squared(u) * self.k * self.mesh[0, :3]

    def squared(self, u):
        return u**2


def helper(u):
    return TABLE["a"] * u


def scaled(u):
    return SCALE * helper(u)


def with_default(u, factors=[1.0, 2.0, 3.0]):  # noqa: B006  (what is tested)
    return u * np.array(factors)


def closed_over():
    inside = [4.0]
    return (lambda u: inside[0] * u), inside


def by_global(monkeypatch):
    monkeypatch.setitem(globals(), "SCALE", 10.0)


def by_element(monkeypatch):
    monkeypatch.setitem(TABLE, "a", TABLE["a"] + 1.0)


@pytest.mark.parametrize(
    ("change", "words"), [(by_global, "SCALE, a global of"), (by_element, "TABLE['a'], a global of")]
)
def test_globals_of_the_function_and_of_those_it_calls(change, words, monkeypatch):
    jac = sad.jacobian(scaled, X)
    change(monkeypatch)
    with pytest.raises(sad.CheckFailed) as failed:
        sad.check(jac, X)
    assert any(note.startswith(words) for note in failed.value.report.notes)
    with pytest.raises(sad.CheckFailed, match=r"has changed since the preparation"):
        jac(X, verify=True)


def test_attributes_of_an_object():
    model = Model()
    jac = sad.jacobian(model, X)
    model.unread = 1
    assert not jac.surroundings.changes()
    model.mesh[:, :] = 2.0  # large: seen by some of its elements
    model.k[1] = 7.0
    assert [change.split(",")[0] for change in jac.surroundings.changes()] == ["k", "mesh"]
    with pytest.raises(sad.CheckFailed, match="k, an attribute of Model, has changed"):
        sad.check(jac, X)


def test_closures_defaults_and_bound_arguments():
    f, inside = closed_over()
    factors = with_default.__defaults__[0]
    bound = {"weights": np.ones(3)}
    partial = functools.partial(lambda u, weights: weights * u, **bound)
    known = [Surroundings(g) for g in (f, with_default, partial)]
    assert not any(one.changes() for one in known)
    inside[0], factors[1], bound["weights"][2] = 5.0, 9.0, 3.0
    words = ["inside[0], in the closure of", "factors[1], a default value of", "weights, bound by functools.partial"]
    for one, start in zip(known, words, strict=True):
        (change,) = one.changes()
        assert change.startswith(start)
    factors[1] = 2.0


def test_what_refers_to_itself_ends():
    def even(u):
        return u if u.size == 0 else odd(u[1:])

    def odd(u):
        return even(u)

    cycle = []
    cycle.append(cycle)
    assert not Surroundings(lambda u: even(u) + len(cycle)).changes()
