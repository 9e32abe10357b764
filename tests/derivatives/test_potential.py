"""The Jacobian of a gradient is prepared as a Hessian, and only where the function is a gradient and nothing else."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import sparsead as sad
from sparsead.problems import PROBLEMS
from tests.reference import differences

RNG = np.random.default_rng(3)
X, A, B = RNG.uniform(0.5, 1.5, (3, 12))


def energy(x, a=A, b=B):
    """Return a sum over neighbours, whose Hessian rounds differently above and below the diagonal."""
    return np.sum(np.exp(0.3 * a[1:] * x[1:] * x[:-1]) / b[1:] + np.sqrt(x[1:] ** 2 + (x[1:] - x[:-1]) ** 2 + b[:-1]))


def pairs(x):
    """Return a function of all pairs, whose Hessian is cheapest by a star coloring."""
    return np.sum(np.exp(np.outer(x, x))) * np.sum(x)


def wells(x):
    """Return what many cells add up to."""
    rows = x.reshape(-1, 3)
    return np.sum(np.exp(rows[:, 0] * rows[:, 1]) * np.sin(rows[:, 2]) * np.sqrt(1 + rows[:, 0] ** 2 + rows[:, 2] ** 4))


def steps(x):
    """Return what a loop of equal turns adds up to."""
    u, total = x[:3], 0.0
    for _ in range(80):
        u = u + 0.02 * np.sin(np.roll(u, 1)) * x[3]
        total = total + np.sum(u * np.exp(-0.1 * u**2))
    return total


SURFACE = PROBLEMS["minimal-surface"](9)


@pytest.mark.parametrize(
    ("f", "x", "args"),
    [
        (energy, X, ()),
        (energy, X, (A, B)),
        (pairs, X, ()),
        (wells, RNG.uniform(0.5, 1.0, 60), ()),
        (wells, RNG.uniform(0.5, 1.0, (30, 20)), ()),
        (steps, X[:4], ()),
        (SURFACE.f, SURFACE.x0 + 0.01 * RNG.standard_normal(SURFACE.x0.shape), SURFACE.args),
    ],
    ids=["closure", "arguments", "pairs", "cells", "plane", "loop", "surface"],
)
def test_it_is_the_hessian_to_the_bit(f, x, args):
    hess, jac = sad.hessian(f, x, *args), sad.jacobian(sad.grad(f), x, *args)
    H, J = hess(x, *args), jac(x, *args)
    assert jac.mode == hess.mode
    np.testing.assert_array_equal(J.indices, H.indices)
    np.testing.assert_array_equal(J.data, H.data)
    np.testing.assert_array_equal(jac.value(x, *args), hess.gradient(x, *args))
    g, both = jac.value_and_jacobian(x, *args)
    np.testing.assert_array_equal(both.data, H.data)
    np.testing.assert_allclose(g, hess.gradient(x, *args), rtol=1e-14)
    v = np.cos(np.arange(x.size))
    for product in (jac.jvp, jac.vjp):
        np.testing.assert_allclose(product(x, v.reshape(-1), *args), H @ v, rtol=1e-12, atol=1e-12)
    assert np.array_equal(pickle.loads(pickle.dumps(jac))(x, *args).data, H.data)
    assert sad.check(jac, x, *args).passed


def test_a_star_coloring_is_kept_in_a_file(tmp_path):
    jac = sad.jacobian(sad.grad(pairs), X)
    jac.save(tmp_path / "pairs.npz")
    again = sad.load(tmp_path / "pairs.npz", sad.grad(pairs), X)
    assert (jac.mode, jac.passes) == (again.mode, again.passes) == ("star", {"jvp": 12, "vjp": 0})
    np.testing.assert_array_equal(again(X).data, jac(X).data)


SLOPE, WITH_ARGUMENTS = sad.gradient(energy, X), sad.gradient(energy, X, A, B)


def changed(x):
    """Return a gradient of which one element is replaced."""
    g = SLOPE(x)
    g[2] = x[0] ** 2
    return g


NOT_GRADIENTS = {
    "changed": changed,
    "twice": lambda x: SLOPE(2.0 * x),
    "reversed": lambda x: SLOPE(x)[::-1],
    "of reversed": lambda x: SLOPE(x[::-1]),
    "transposed": lambda x: SLOPE(x).reshape(3, 4).T,
    "with more": lambda x: SLOPE(x) + x**3,
    "repeated": lambda x: np.tile(SLOPE(x), 2),
    "of a value": lambda x: WITH_ARGUMENTS(x, np.sum(x) * A, B),
}


@pytest.mark.parametrize("f", NOT_GRADIENTS.values(), ids=NOT_GRADIENTS)
def test_what_is_made_of_a_gradient_is_not_taken_for_it(f):
    np.testing.assert_allclose(sad.jacobian(f, X, check=False)(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-6)


def test_arguments_in_another_order_are_other_arguments():
    swapped = sad.jacobian(lambda x, a, b: WITH_ARGUMENTS(x, b, a), X, A, B, check=False)
    np.testing.assert_allclose(swapped(X, A, B).toarray(), sad.hessian(energy, X, B, A)(X, B, A).toarray(), rtol=1e-12)


def test_direct_by_name_is_that_of_the_hessian():
    hess, jac = sad.hessian(pairs, X, mode="direct"), sad.jacobian(sad.grad(pairs), X, mode="direct")
    assert jac.mode == hess.mode == "direct"
    np.testing.assert_array_equal(jac(X).data, hess(X).data)


def test_a_mode_by_name_is_that_of_the_gradient_as_it_is_written():
    jac = sad.jacobian(sad.grad(energy), X, mode="reverse")
    assert jac.mode == "reverse"
    np.testing.assert_allclose(jac(X).toarray(), sad.hessian(energy, X)(X).toarray(), rtol=1e-13, atol=1e-13)


def test_unknowns_by_name():
    f = lambda s: energy(s["u"]) * np.sum(s["p"] ** 2)  # noqa: E731
    state = {"u": X, "p": A[:3]}
    H, J = sad.hessian(f, state)(state), sad.jacobian(sad.grad(f), state)(state)
    np.testing.assert_allclose(J.toarray(), H.toarray(), rtol=1e-13, atol=1e-13)
