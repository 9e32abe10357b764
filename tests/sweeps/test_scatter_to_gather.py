"""Additions turned around give the same values to the bit, and leave no place unset."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.kernels.kernel import Kernel
from sparsead.sweeps import scatter_to_gather, vector
from sparsead.sweeps.scatter_to_gather import Owned, added_to, owned
from tests.sizes import size

N = 1500
RNG = np.random.default_rng(3)


def second(x):
    return np.sum((x[2:] - 2.0 * x[1:-1] + x[:-2]) ** 3)


def far(x):
    return np.sum(x[100:] * x[:-100] ** 2) + np.sum(x[:5])


def backwards(x):
    y = x[::-1]
    return np.sum(y[1:] * np.sin(y[:-1]) - y[3:].sum() * y[0])


def apart(x):
    return np.sum(x[:-2:2] * x[2::2] ** 2)


def plane(x):
    u = x.reshape(30, 50)
    return np.sum((u[1:, 1:] - u[:-1, 1:]) ** 2 * u[:-1, :-1] + u[1:, :-1] ** 3)


def wide(x):
    u = x.reshape(3, 500)
    return np.sum((u[:, 1:] * u[:, :-1]) ** 2)


def branching(x):
    return np.sum(np.where(x[1:] > 0.5, np.sqrt(np.abs(x[:-1] - x[1:])), x[:-1] * x[1:]))


def choosing(x):
    return np.sum(np.where(x[1:] > 0.2, x[:-1] ** 3, x[1:] * x[:-1]))


def ring(x):
    return np.sum((np.roll(x, 1) - x) ** 2 * x)


def several(x):
    u = x.reshape(30, 50)
    return np.sum((u[1:] - u[:-1]) ** 2) + np.sum((u[:, 1:] - u[:, :-1]) ** 2) + np.sum((u**2 - 1.0) ** 2)


def torus(x):
    u = x.reshape(30, 50)
    return np.sum((np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4.0 * u) ** 2 * u)


def signs(x):
    return np.sum(0.0 * x[1:] - 0.0 * x[:-1])


FUNCTIONS = [second, far, backwards, apart, plane, wide, branching, choosing, ring, several, signs]


def as_they_are(steps, but=()):
    return Owned(list(steps), set(), added_to(steps))


@pytest.mark.parametrize("f", FUNCTIONS)
def test_gradients_are_the_same_to_the_bit(f, monkeypatch):
    x = RNG.random(N) - 0.3
    x[7:9] = 0.25  # where a root has no slope
    grad, hess = sad.gradient(f, x, check=False), sad.hessian(f, x, mode="direct", check=False)
    room = np.full(N, np.nan)
    found, together = grad(x, out=room), hess.value_gradient_and_hessian(x)
    monkeypatch.setattr(vector, "owned", as_they_are)
    before = sad.gradient(f, x, check=False)
    wanted = before(x)
    assert ("+= " in before.source) or f is signs
    np.testing.assert_array_equal(found.view(np.int64), wanted.view(np.int64))
    np.testing.assert_array_equal(together[1].view(np.int64), hess.value_and_gradient(x)[1].view(np.int64))


def test_what_comes_from_beyond_a_wrap_is_added_last(monkeypatch):
    x = RNG.random(N)
    found = sad.gradient(torus, x)(x)
    monkeypatch.setattr(vector, "owned", as_they_are)
    wanted = sad.gradient(torus, x)(x)
    same = (found == wanted).reshape(30, 50)
    assert same[4:-4, 4:-4].all()
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


@pytest.mark.parametrize("f", [second, far, apart, plane, wide, ring, several, torus])
def test_gradients_agree_with_a_complex_step(f):
    x = RNG.random(N)
    found = sad.gradient(f, x)(x)
    for k in (0, 1, 2, 99, 100, 749, N - 101, N - 2, N - 1):
        step = x + 1e-30j * (np.arange(N) == k)
        np.testing.assert_allclose(found[k], f(step).imag / 1e-30, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "turns"), [(second, True), (plane, True), (choosing, True), (apart, False), (branching, False)]
)
def test_what_is_turned_around(f, turns):
    """Half of the places of `apart` are never written; the root of `branching` would be taken twice."""
    kernels = sad.gradient(f, np.ones(N)).kernels
    gradients = sad.hessian(f, np.ones(N)).gradient_kernels
    found = owned(gradients.kernels)
    assert bool(found.complete) is turns
    if turns:
        large = [k for k in found.steps if isinstance(k, Kernel) and np.prod(k.domain) > 1000]
        assert not any(s.adds for k in large for s in k.stores if s.buffer in found.complete)
    assert owned(kernels.kernels, but=kernels.kernels).steps == list(kernels.kernels)


def test_heavy_functions_are_not_computed_twice():
    def f(x):
        return np.sum(np.exp(np.sin(x[1:] * x[:-1])))

    assert not owned(sad.hessian(f, np.ones(N)).gradient_kernels.kernels).complete


def test_shares_of_threads_are_the_same(monkeypatch):
    x = RNG.random(size(3 * 10**6, plain=3000))
    found = sad.gradient(second, x, threads=2)(x)
    np.testing.assert_array_equal(found, sad.gradient(second, x)(x))
    monkeypatch.setattr(scatter_to_gather, "MANY_POINTS", 10**9)
    np.testing.assert_array_equal(found, sad.gradient(second, x)(x))
