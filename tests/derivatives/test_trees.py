"""x, arguments and results that are built of several arrays: the matrix is that of the packed function."""

from __future__ import annotations

import pickle
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import sparsead as sad
from tests.reference import complex_step

State = namedtuple("State", "u v")


@dataclass(frozen=True)
class Parameters:
    rate: float
    source: np.ndarray
    order: int = 2


def reaction(state, p):
    """Return a dict of rates of a state that is a dict."""
    u, v = state["u"], state["v"]
    exchanged = p.rate * u**p.order * v + state["leak"]
    return {
        "du": p.source - exchanged,
        "dv": np.concatenate([exchanged[1:], v[:1]]),
        "total": np.sum(u) * state["leak"],
    }


STATE = {"u": np.array([0.4, 0.9, 1.3]), "v": np.array([0.7, 0.2, 0.5]), "leak": 0.3}
PARAMETERS = Parameters(1.7, np.array([1.0, 2.0, 3.0]))


def packed(f, like, *args):
    """Return the function of the packed vector, which complex steps differentiate."""

    def of_vector(x):
        names, values, start = list(like), {}, 0
        for name in names:
            size = np.size(like[name])
            part = x[start : start + size]
            values[name] = part if isinstance(like[name], np.ndarray) else part[0]
            start += size
        result = f(values, *args)
        return np.concatenate([np.ravel(part) for part in result.values()])

    return of_vector


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_jacobian_of_a_tree_is_that_of_its_leaves(mode):
    jac = sad.jacobian(reaction, STATE, PARAMETERS, mode=mode)
    expected = complex_step(packed(reaction, STATE, PARAMETERS), sad.pack(STATE))
    np.testing.assert_allclose(jac(STATE, PARAMETERS).toarray(), expected, rtol=1e-13, atol=1e-14)


def test_blocks_have_the_names_of_the_trees():
    jac = sad.jacobian(reaction, STATE, PARAMETERS)
    J = jac(STATE, PARAMETERS)
    blocks = jac.blocks(J)
    assert list(blocks.rows) == ["du", "dv", "total"]
    assert list(blocks.columns) == ["u", "v", "leak"]
    np.testing.assert_array_equal(blocks["dv", "u"].toarray(), J.toarray()[3:6, :3])
    np.testing.assert_array_equal(blocks[:, "leak"].toarray(), J.toarray()[:, 6:])
    with pytest.raises(sad.InputError, match=r"no column block 'w'; the columns are named u, v, leak"):
        blocks["du", "w"]


def test_float_leaves_of_arguments_are_runtime_values():
    jac = sad.jacobian(reaction, STATE, PARAMETERS)
    other = Parameters(0.2, np.array([5.0, 4.0, 3.0]))
    expected = complex_step(packed(reaction, STATE, other), sad.pack(STATE))
    np.testing.assert_allclose(jac(STATE, other).toarray(), expected, rtol=1e-13, atol=1e-14)
    with pytest.raises(sad.InputError, match=r"argument 1\.order was fixed .*: 2 then, 3 now;"):
        jac(STATE, Parameters(0.2, other.source, order=3))


def test_values_and_gradients_come_back_as_they_went_in():
    value, _ = sad.jacobian(reaction, STATE, PARAMETERS).value_and_jacobian(STATE, PARAMETERS)
    expected = reaction(STATE, PARAMETERS)
    assert list(value) == list(expected)
    assert all(np.shape(value[k]) == np.shape(expected[k]) for k in value)
    assert all(np.allclose(value[k], expected[k], rtol=1e-14) for k in value)
    state = State(np.array([1.0, 2.0]), 3.0)
    gradient = sad.gradient(lambda s: np.sum(s.u**2) * s.v, state)(state)
    assert isinstance(gradient, State)
    np.testing.assert_allclose(gradient.u, [6.0, 12.0])
    assert gradient.v == 5.0


@pytest.mark.parametrize("options", [{}, {"method": "central-difference"}])
def test_numbers_in_results_are_numbers(options):
    def f(x):
        return {
            "sum": np.sum(x),
            "all": 2.0 * x,
            "held": {"a": x[0] * x[1], "b": np.linalg.norm(x)},
            "room": np.array(x[0]),
        }

    x = np.array([1.0, 2.0, 4.0])
    jac = sad.jacobian(f, x, **options)
    for value in (jac.value(x), jac.value_and_jacobian(x)[0]):
        assert [*map(type, value["held"].values()), type(value["sum"])] == [np.float64] * 3
        assert type(value["room"]) is np.ndarray and value["room"].shape == ()
        assert value["sum"] == 7.0 and value["held"] == f(x)["held"]
    if options:
        with pytest.raises(sad.InputError, match="pack"):
            jac.vjp(x, f(x))


def test_hessian_of_a_tree():
    state = State(np.array([1.0, 2.0]), 3.0)
    hess = sad.hessian(lambda s: np.sum(s.u**2) * s.v, state)
    H = hess(state)
    np.testing.assert_allclose(H.toarray(), [[6.0, 0.0, 2.0], [0.0, 6.0, 4.0], [2.0, 4.0, 0.0]])
    np.testing.assert_allclose(hess.blocks(H)["v", "u"].toarray(), [[2.0, 4.0]])
    assert sad.check(hess, state).passed


def test_several_arguments_at_once():
    def f(u, a, p):
        return p * u**2 + a

    u, a, p = np.array([1.0, 2.0]), 3.0, np.array([0.5, 4.0])
    jac = sad.jacobian(f, u, a, p, argnum=(0, "p"))
    J = jac(u, a, p)
    np.testing.assert_allclose(J.toarray(), np.hstack([np.diag(2 * p * u), np.diag(u**2)]))
    assert list(jac.blocks(J).columns) == ["u", "p"]
    np.testing.assert_allclose(jac.blocks(J)["f", "p"].toarray(), np.diag(u**2))
    assert sad.check(jac, u, a, p).passed


def test_results_of_different_shapes_are_rows_one_after_the_other():
    jac = sad.jacobian(lambda x: (x[:2] ** 2, np.sum(x)), np.array([1.0, 2.0, 3.0]))
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(jac(x).toarray(), [[2, 0, 0], [0, 4, 0], [1, 1, 1]])
    first, second = jac.value(x)
    np.testing.assert_allclose(first, [1.0, 4.0])
    assert second == 6.0
    assert list(jac.blocks(jac(x)).rows) == ["0", "1"]


@pytest.mark.parametrize("method", ["central-difference", "complex-step"])
def test_differences_of_trees(method):
    jac = sad.jacobian(reaction, STATE, PARAMETERS, method=method)
    expected = sad.jacobian(reaction, STATE, PARAMETERS)(STATE, PARAMETERS).toarray()
    np.testing.assert_allclose(jac(STATE, PARAMETERS).toarray(), expected, rtol=1e-7, atol=1e-8)


def test_trees_are_checked_and_pickled():
    jac = sad.jacobian(reaction, STATE, PARAMETERS)
    assert sad.check(jac, STATE, PARAMETERS).passed
    again = pickle.loads(pickle.dumps(jac))
    np.testing.assert_array_equal(again(STATE, PARAMETERS).data, jac(STATE, PARAMETERS).data)


def test_guarded_trees():
    def f(state):
        return state["u"] * (2.0 if state["k"] > 0.0 else 3.0)

    guarded = sad.jacobian(f, {"u": np.ones(2), "k": 1.0}, guard="record")
    assert guarded({"u": np.ones(2), "k": 1.0}).data.tolist() == [2.0, 2.0]
    assert guarded({"u": np.ones(2), "k": -1.0}).data.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ({"u": np.ones(2), "v": np.ones(3)}, r"x was a dict of u, v, leak .* got a dict of u, v; prepare again"),
        ([1.0], r"x was a dict of u, v, leak .* got a list; prepare again"),
        ({**STATE, "u": np.ones(4)}, r"x\.u has shape \(4,\).* prepared for shape \(3,\)"),
    ],
)
def test_another_structure_is_refused(x, words):
    with pytest.raises(sad.InputError, match=words):
        sad.jacobian(reaction, STATE, PARAMETERS)(x, PARAMETERS)


@pytest.mark.parametrize(
    ("argnum", "words"),
    [
        ("q", r"argnum='q', but the function has arguments state, p"),
        ((0, 0), r"names no argument, or one twice"),
        ((), r"names no argument, or one twice"),
        (2, r"argnum=2, but the function is called with 2 arguments"),
        (True, r"argnum must be a number or a name"),
    ],
)
def test_bad_argnum(argnum, words):
    with pytest.raises(sad.InputError, match=words):
        sad.jacobian(reaction, STATE, PARAMETERS, argnum=argnum)


def test_a_tree_without_floats_is_refused():
    with pytest.raises(sad.InputError, match=r"state holds no float"):
        sad.jacobian(reaction, {"u": 1, "v": "text"}, PARAMETERS)


@pytest.mark.parametrize("inside", [False, True])
def test_products_of_arrays_of_several_axes_are_in_kind(inside):
    def f(x):
        return x.T**2 * x[0, 0]

    x = np.arange(1.0, 7.0).reshape(2, 3)
    v, w = np.cos(x), np.sin(f(x))
    jac, hess = sad.jacobian(f, x), sad.hessian(lambda x: np.sum(f(x) ** 2), x)
    J, H = jac(x).toarray(), hess(x).toarray()
    products = [
        (lambda z: jac.jvp(z, v), (J @ v.ravel()).reshape(3, 2)),
        (lambda z: jac.vjp(z, w), (J.T @ w.ravel()).reshape(2, 3)),
        (lambda z: hess.hvp(z, v), (H @ v.ravel()).reshape(2, 3)),
        (lambda z: jac.jvp(z, np.eye(6)), J),
    ]
    for product, expected in products:
        found = sad.jacobian(product, x).value(x) if inside else product(x)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    with pytest.raises(sad.InputError, match="expects a vector of shape"):
        sad.jacobian(lambda z: jac.jvp(z, np.ones((4, 2))), x) if inside else jac.jvp(x, np.ones((4, 2)))
