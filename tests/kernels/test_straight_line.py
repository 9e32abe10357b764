"""Kernels of few points in straight lines compute what they computed as loops, and so do their derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead.ops  # noqa: F401
from sparsead.emit.sweep import Engine
from sparsead.kernels.gradient import gradient
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.kernels.straight_line import in_straight_line, straightened
from sparsead.kernels.undivided import Undivided
from sparsead.sweeps.vector import product_sweep, value_sweep
from sparsead.tracing.trace import trace

N = 6
PYTHON = Engine("python")


def matrices(x):
    A, H = x.reshape(2, 3), np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    return np.sum(np.log(2.0 + A @ H @ A.T) / (1.0 + x[0] ** 2))


def masks(x):
    return np.sum(np.array([0.0, 1.0] * 3) * np.sqrt(x - x[0]) + np.roll(x, 1) * x)  # a root of zero that is masked


def recurrence(x):
    total, u = 0.0, x[0]
    for k in range(1, N):
        u = np.sin(u) + x[k] * u
        total = total + u * u
    return total + np.sum(np.cumsum(x) ** 3)


def choices(x):
    return np.sum(np.where(x > 0.5, x * x, 0.25) * np.maximum(x, 0.4)) + np.sum(np.abs(x - 0.6) * x[::-1])


def long_and_short(x):
    y = np.outer(np.arange(100.0), x).ravel()  # too many points
    return np.sum(np.sin(y)) * np.prod(x) + np.sum(x[:3] * x[3:]) * np.sum(y)


FUNCTIONS = [matrices, masks, recurrence, choices, long_and_short]


def run(sweep, x, name, size, **more):
    out = np.empty(size)
    sweep(x=x, **{name: out}, **more)
    return out


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_values_and_derivatives_are_equal(f):
    x, v = np.array([0.3, 0.7, 0.55, 0.9, 0.45, 0.8]), np.cos(np.arange(6.0))
    plain = lower(trace(f, [x])[0])
    lines = straightened(plain)
    y = run(value_sweep(lines, PYTHON), x, "y", 1)
    np.testing.assert_allclose(y, f(x), rtol=1e-15)
    gradients = [gradient(plain, again=True), straightened(gradient(lines, again=True, whole=True))]
    expected, found = (run(value_sweep(g, PYTHON), x, "g", N) for g in gradients)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    products = [linearize(gradients[0]), linearize(gradients[1], products=True, whole=True)]
    expected, found = (run(product_sweep(p, "hvp", PYTHON), x, "dg", N, dx=v) for p in products)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_small_programs_are_one_line_and_undivided():
    lines = straightened(lower(trace(matrices, [np.ones(N)])[0]))
    (kernel,) = lines.kernels
    assert kernel.domain == (1,)
    assert len(kernel.stores) == 1
    linear = linearize(lines, products=True, whole=True)
    assert all(isinstance(k, Undivided) for k in linear.kernels)


def test_choices_next_to_poles_are_divided():
    lines = straightened(lower(trace(lambda x: np.sum(np.where(x > 0.5, np.sqrt(x), x)), [np.ones(N)])[0]))
    assert not any(isinstance(k, Undivided) for k in linearize(lines, products=True, whole=True).kernels)


def test_long_programs_stay_as_they_are():
    kernels = lower(trace(lambda x: np.sum(np.sin(np.outer(np.arange(100.0), x)), axis=0), [np.ones(N)])[0])
    assert in_straight_line(kernels.kernels, [kernels.output]) == kernels.kernels
