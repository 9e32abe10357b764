"""Laws of loops whose turns read elsewhere in an array of their own: controls, weights, data that are not known."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.derivatives.rerolling import rerolled
from sparsead.emit.sweep import DEFAULT_ENGINE
from sparsead.kernels import rolling
from sparsead.kernels.readings import is_reading
from sparsead.program.evaluate import evaluate
from sparsead.program.nodes import Call
from sparsead.tracing.trace import trace

TURNS = 12
ORDER = np.random.default_rng(2).permutation(TURNS)
A, B = np.array([[0.9, 0.1], [-0.2, 0.8]]), np.array([[0.0, 0.3], [0.1, 0.2]])


@pytest.fixture(autouse=True)
def _short_loops(monkeypatch):
    """Let short loops be loops, too."""
    monkeypatch.setattr(rolling, "LONG", 20)
    monkeypatch.setattr(rolling, "SHORTEST", 20)
    monkeypatch.setattr(rolling, "WORK", 1)


def pendulum(x):
    s = np.array([0.1, 0.0])
    for k in range(TURNS):
        s = s + 0.1 * np.array([s[1], -np.sin(s[0]) + x[k]])
    return s


def costs(x):
    controls, s, total = x[2:].reshape(-1, 2), x[:2], 0.0
    for k in range(TURNS):
        s = A @ s + B @ np.sin(controls[k])
        total = total + s @ s + 0.1 * controls[k] @ controls[k]
    return np.append(s, total)


def held_over_stages(x):
    def slope(s, u):
        return np.array([s[1] + u, (1.0 - s[0] ** 2) * s[1] - s[0]])

    s, all_of_them = np.sin(x[:2]), []
    for k in range(TURNS):
        first = slope(s, x[2 + k // 2])
        s = s + 0.05 * (first + slope(s + 0.1 * first, x[2 + k // 2]))
        all_of_them.append(s)
    return np.concatenate(all_of_them)


def backwards_and_in_any_order(x):
    s = x[:2]
    for k in range(TURNS):
        s = np.cos(s) * x[-1 - k] + np.dot([0.3, 0.2], [s[0], x[ORDER[k]]])
    for k in range(TURNS):
        s = np.tanh(s + x[k : k + 2] * x[k + 1])
    return s


LOOPS = [pendulum, costs, held_over_stages, backwards_and_in_any_order]


def x0():
    return np.random.default_rng(3).uniform(0.2, 0.8, 2 + 2 * TURNS)


def by_complex_steps(f, x):
    return np.array([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)]).T


@pytest.mark.skipif(DEFAULT_ENGINE.backend != "llvm", reason="loops run as machine code")
@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_turns_that_read_elsewhere_are_a_loop(f):
    short = rerolled(trace(f, [x0()])[0], DEFAULT_ENGINE)
    x = x0() + 0.1

    assert any(isinstance(node, Call) for node in short.nodes)
    assert not any(map(is_reading, short.nodes))  # they are part of what reads
    np.testing.assert_allclose(evaluate(short.output, {short.wrt.serial: x}), f(x), rtol=1e-13)


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_derivatives_of_loops_that_read_elsewhere(f):
    def loss(x):
        return np.sum(np.sin(f(x)))

    x, v = x0() + 0.1, np.cos(np.arange(x0().size))
    jacobian, gradient = sad.jacobian(f, x0()), sad.gradient(loss, x0())

    np.testing.assert_allclose(jacobian(x).toarray(), by_complex_steps(f, x), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(gradient(x), by_complex_steps(loss, x), rtol=1e-11)

    h, hessian = 1e-3, sad.hessian(loss, x0())
    along = [by_complex_steps(loss, x + k * h * v) for k in (-2, -1, 1, 2)]
    difference = (along[0] - 8.0 * along[1] + 8.0 * along[2] - along[3]) / (12.0 * h)
    np.testing.assert_allclose(hessian(x).toarray() @ v, difference, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hessian.hvp(x, v), hessian(x).toarray() @ v, rtol=1e-11)
