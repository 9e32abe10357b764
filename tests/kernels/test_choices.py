"""What was not chosen does not count: no NaN from zero times infinity, on either side of a choice, through layers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from tests.reference import differences

N = 20
RNG = np.random.default_rng(4)
MODES = ["direct", "forward", "reverse", "bidirectional"]
MIX = scipy.sparse.csr_array(np.triu(np.tril(RNG.uniform(1.0, 2.0, (N, N))), -2))
DENSE = RNG.uniform(1.0, 2.0, (N, N))

#: outer functions that have an infinite slope at the value that the choice gives, each with that value
OUTER = {
    "arcsin at 1": (np.arcsin, 1.0), "sqrt at 0": (np.sqrt, 0.0), "arccosh at 1": (np.arccosh, 1.0),
    "log at 0": (np.log, 0.0), "cbrt at 0": (np.cbrt, 0.0), "power at 0": (lambda v: v**0.3, 0.0),
    "norm at 0": (lambda v: np.hypot(v, 0.0), 0.0), "reciprocal at 0": (lambda v: 1.0 / v, 0.0),
}  # fmt: skip
#: choices of the value v at x > 2, and of something varying elsewhere
CHOICES = {
    "where": lambda x, v: np.where(x > 2.0, v, v + 0.1 * x),
    "minimum": lambda x, v: v - np.minimum(0.0, 0.1 * x - 0.2),
    "clip": lambda x, v: v + np.clip(0.1 * (2.0 - x), 0.0, 9.0),
    "select": lambda x, v: np.select([x > 2.0, x > 0.0], [v, v + 0.1 * x], v + x * x),
    "piecewise": lambda x, v: np.piecewise(x, [x > 2.0], [lambda x: v + 0.0 * x, lambda x: v + 0.3 * x]),
    "maximum of abs": lambda x, v: v + np.maximum(-np.abs(x - 2.0) * (x - 2.0), 0.0),
    "fmax": lambda x, v: v + np.fmax(0.2 * (2.0 - x), 0.0),
    "nested": lambda x, v: v + np.minimum(np.clip(np.maximum(2.0 - x, 0.0), -1.0, 0.6), 0.5 * np.maximum(2.0 - x, 0.0)),
}
#: what may lie between the choice and the outer function; both keep a value v everywhere
BETWEEN = {
    "nothing": lambda z, v: z,
    "a roll": lambda z, v: np.roll(z, 3),
    "a sparse product": lambda z, v: v + MIX @ (z - v),
    "a product": lambda z, v: v + DENSE @ (z - v),
    "a sum": lambda z, v: v + np.sum(z - v) * np.ones(N),
    "layers": lambda z, v: v + MIX @ np.sinh(MIX @ (z - v)),
}
CHOSEN = np.linspace(2.5, 3.0, N)


def composed(outer, choice, between):
    function, v = OUTER[outer]
    return lambda x: function(BETWEEN[between](CHOICES[choice](x, v), v))


def both_ways(f, x, mode):
    jac = sad.jacobian(f, np.ones(N), mode=mode, backend="python")
    v = RNG.normal(size=N)
    with np.errstate(all="ignore"):
        w = RNG.normal(size=np.size(f(x)))
    return jac(x).toarray(), jac.jvp(x, v), jac.vjp(x, w)


@pytest.mark.parametrize("mode", MODES[:3])
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("choice", CHOICES)
def test_outside_of_a_choice(choice, between, mode):
    for outer in ("arcsin at 1", "sqrt at 0") if between != "nothing" else OUTER:
        for found in both_ways(composed(outer, choice, between), CHOSEN, mode):
            np.testing.assert_array_equal(found, 0.0, err_msg=outer)


INNER = {
    "sqrt": np.sqrt,
    "log": np.log,
    "cbrt": np.cbrt,
    "quotient": lambda x: 1.0 / x,
    "arctan2": lambda x: np.arctan2(x, x),
}


@pytest.mark.parametrize("mode", MODES[:3])
@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("between", ["nothing", "a sparse product", "a product", "a sum"])
def test_inside_of_a_choice(inner, between, mode):
    """``where(x > 0, f(x), 1)`` needs no second ``where`` around x."""
    x = np.where(np.arange(N) % 3 == 0, 0.0, 0.5 + np.arange(N) / N)

    def safe(x, good):
        z = np.where(good, INNER[inner](np.where(good, x, 1.0)), 1.0)
        return BETWEEN[between](z, 0.0)

    def f(x):
        return BETWEEN[between](np.where(x > 0.0, INNER[inner](x), 1.0), 0.0)

    good = x > 0.0
    expected = sad.jacobian(lambda x: safe(x, good), x, mode="direct", backend="python")(x).toarray()
    jac = sad.jacobian(f, np.ones(N), mode=mode, backend="python")
    np.testing.assert_allclose(jac(x).toarray(), expected, rtol=1e-14, atol=1e-14)
    v = RNG.normal(size=N)
    np.testing.assert_allclose(jac.jvp(x, v), expected @ v, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("mode", MODES[:3])
def test_an_intermediate_array_that_only_some_choose(mode):
    """The slope of the array is infinite at 0; who chose it gets that, who did not gets 0."""

    def f(x):
        root = np.sqrt(MIX @ x)
        return np.concatenate([np.where(root > 1e-3, root, 1.0), root])

    x = np.where(np.arange(N) < 9, 0.0, 1.0)
    found = sad.jacobian(f, np.ones(N), mode=mode, backend="python")(x).toarray()
    root = np.sqrt(MIX @ x)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(MIX.toarray() != 0.0, 0.5 * MIX.toarray() / root, 0.0)
    np.testing.assert_allclose(found[N:], expected, rtol=1e-14)
    np.testing.assert_allclose(found[:N], np.where(root > 1e-3, expected, 0.0), rtol=1e-14)


@pytest.mark.parametrize("mode", MODES[:3])
def test_some_terms_of_a_sum_were_chosen(mode):
    def f(x):
        return np.sqrt(MIX @ np.where(x > 0.0, x, 0.0 * x + 0.0) + MIX @ np.minimum(x - 1.0, 0.0) + MIX @ np.ones(N))

    x = np.where(np.arange(N) % 2 == 0, 0.0, -1.0)
    x[::4] = 2.0

    def g(x):
        z = np.maximum(x - 2.0, 0.0) + np.where(x < 1.0, 0.0, x - 2.0)
        return np.cbrt(MIX @ z)

    found = sad.jacobian(g, np.ones(N), mode=mode, backend="python")(x).toarray()
    reads = MIX.toarray() != 0.0
    np.testing.assert_array_equal(found, np.where(reads & (x == 2.0), np.inf, 0.0))
    assert np.isfinite(sad.jacobian(f, np.ones(N), mode=mode, backend="python")(x * 0.0 + 3.0).toarray()).all()


@pytest.mark.parametrize("mode", MODES[:3])
def test_a_computed_zero_does_count(mode):
    """The slope of ``cbrt(x)**3`` is 1, of ``cbrt(x**3)`` as well: zero times infinity is not to be taken for 0."""
    for f in (
        lambda x: (np.where(x > 5.0, 0.0, MIX @ np.cbrt(x))) ** 3,
        lambda x: np.cbrt(MIX @ np.where(x > 5.0, 0.0, x**3)),
    ):
        found = sad.jacobian(f, np.ones(N), mode=mode, backend="python")(np.zeros(N)).toarray()
        assert np.isnan(found[MIX.toarray() != 0.0]).all()


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("choice", ["where", "clip", "nested"])
def test_hessians_have_nothing_of_what_was_not_chosen(choice, between, mode):
    for outer in ("arcsin at 1", "sqrt at 0"):
        f = composed(outer, choice, between)
        hess = sad.hessian(lambda x, f=f: np.sum(f(x)) + np.sum(x**2), np.ones(N), mode=mode, backend="python")
        np.testing.assert_array_equal(hess(CHOSEN).toarray(), 2.0 * np.eye(N))
        np.testing.assert_array_equal(hess.gradient(CHOSEN), 2.0 * CHOSEN)
        np.testing.assert_array_equal(hess.hvp(CHOSEN, CHOSEN), 2.0 * CHOSEN)


@pytest.mark.parametrize("mode", ["direct", "star"])
@pytest.mark.parametrize("between", ["nothing", "a sparse product", "a product"])
def test_hessians_inside_of_a_choice(between, mode):
    x = np.where(np.arange(N) % 3 == 0, 0.0, 0.5 + np.arange(N) / N)

    def f(x):
        return np.sum(np.exp(0.01 * BETWEEN[between](np.where(x > 0.0, np.sqrt(x), 1.0), 0.0)))

    def safe(x):
        inner = np.sqrt(np.where(np.arange(N) % 3 == 0, 1.0, x))
        return np.sum(np.exp(0.01 * BETWEEN[between](np.where(np.arange(N) % 3 == 0, 1.0, inner), 0.0)))

    expected = sad.hessian(safe, np.ones(N), backend="python")(x).toarray()
    found = sad.hessian(f, np.ones(N), mode=mode, backend="python")(x).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("backend", ["llvm", "numba"])
def test_other_back_ends_tell_nothing_from_zero(backend):
    f = composed("arcsin at 1", "nested", "layers")
    jac = sad.jacobian(f, np.ones(N), mode="forward", backend=backend)
    np.testing.assert_array_equal(jac(CHOSEN).toarray(), 0.0)
    g = lambda x: np.cbrt(MIX @ np.where(x > 5.0, 0.0, x**3))  # noqa: E731
    found = sad.jacobian(g, np.ones(N), mode="forward", backend=backend)(np.zeros(N)).toarray()
    assert np.isnan(found[MIX.toarray() != 0.0]).all()


def test_care_is_taken_only_where_it_is_needed():
    assert not sad.jacobian(lambda x: MIX @ np.maximum(MIX @ np.sin(x), 0.0), np.ones(N)).linear.absorbing
    assert not sad.jacobian(lambda x: np.sqrt(MIX @ np.sqrt(x)), np.ones(N)).linear.absorbing
    assert sad.jacobian(lambda x: np.sqrt(MIX @ np.maximum(x, 0.0)), np.ones(N)).linear.absorbing


CLOSES = {
    "zero or something": (lambda x: np.where(x > 2.0, x, 0.0), True),
    "a number from a table": (lambda x: x * np.where(x > 2.0, 5.0, 7.0), False),
    "slots that meet": (lambda x: 1.0 / (x[[0, 1, 2]] - 2.0 * x[[0, 2, 1]]), False),
}


@pytest.mark.parametrize("inner", CLOSES)
def test_only_choices_of_zero_ask_for_care(inner):
    """Telling a computed zero from nothing costs several operations a product."""
    f, closes = CLOSES[inner]
    jac = sad.jacobian(lambda x: np.cbrt(np.cumsum(f(x))), np.full(3, 3.0), backend="python")
    assert jac.linear.absorbing == closes


@pytest.mark.parametrize("mode", MODES[:3])
@pytest.mark.parametrize("between", ["nothing", "a roll", "a sparse product"])
@pytest.mark.parametrize(
    "infinite",
    [
        lambda x: x / 0.0,
        lambda x: x * np.inf,
        lambda x: x / np.where(np.arange(N) % 2, 0.0, 2.0),
        lambda x: x * np.where(np.arange(N) % 2, np.inf, 2.0),
        lambda x: x / np.zeros(N),
    ],
)
def test_what_is_replaced_for_infinity_is_constant(infinite, between, mode):
    def f(x):
        y = np.nan_to_num(infinite(x), posinf=3.0)
        return BETWEEN[between](y, 1.0) * x

    x = RNG.uniform(1.0, 2.0, N)
    found, along, across = both_ways(f, x, mode)
    with np.errstate(all="ignore"):
        expected = differences(f, x)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert np.isfinite(along).all() and np.isfinite(across).all()
