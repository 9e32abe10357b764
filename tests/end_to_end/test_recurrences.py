"""Recurrences in loop code run as one ordered kernel, in every mode, against the complex step."""

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.program.nodes import Scan
from sparsead.tracing.trace import trace

X = np.random.default_rng(0).random(80) + 0.1


def filter_(x):
    r = np.zeros(len(x), x.dtype)
    r[0] = x[0]
    for i in range(1, len(x)):
        r[i] = 0.5 * np.sin(r[i - 1]) * x[i] + x[i]
    return r


def two_back(x):
    r = np.zeros(len(x), x.dtype)
    r[0], r[1] = x[0], x[1] * x[0]
    for i in range(2, len(x)):
        r[i] = 0.3 * np.sin(r[i - 1]) * x[i] + 0.2 * r[i - 2]
    return r[::-1] * x


def backward(x):
    r = np.zeros(len(x), x.dtype)
    r[-1] = x[-1]
    for i in range(len(x) - 2, -1, -1):
        r[i] = np.exp(-r[i + 1]) * x[i]
    return r


def pendulum(x):
    n = len(x) // 2
    p, q = np.zeros(n + 1, x.dtype), np.zeros(n + 1, x.dtype)
    p[0], q[0] = x[1], x[0]
    for i in range(n):
        p[i + 1] = p[i] - 0.1 * np.sin(q[i]) + 0.1 * x[i]
        q[i + 1] = q[i] + 0.1 * p[i + 1] * x[n + i]
    return np.concatenate([p, q])


def van_der_pol(x):
    n = len(x) // 2
    u, v, states = x[0], x[1], []
    for i in range(n):
        k, m = v, (1.0 - u * u) * v - u + x[i]
        w = u + 0.05 * k
        m2 = (1.0 - w * w) * (v + 0.05 * m) - w + x[n + i]
        u, v = u + 0.05 * (k + v + 0.05 * m), v + 0.05 * (m + m2)
        states += [u, v]
    return np.array(states)


def tridiagonal_solve(x):
    n = len(x) // 2
    a, d = x[:n], x[n:]
    c, e, y = np.zeros(n, x.dtype), np.zeros(n, x.dtype), np.zeros(n, x.dtype)
    c[0], e[0] = 1.0 / (3.0 + a[0]), d[0] / (3.0 + a[0])
    for i in range(1, n):
        m = 3.0 + a[i] - c[i - 1]
        c[i] = 1.0 / m
        e[i] = (d[i] - e[i - 1]) / m
    y[n - 1] = e[n - 1]
    for i in range(n - 2, -1, -1):
        y[i] = e[i] - c[i] * y[i + 1]
    return y


def products(x):
    r = np.zeros(len(x), x.dtype)
    p = 1.0
    for i in range(len(x)):
        p = p * x[i]
        r[i] = p
    return r


def control(x):
    u, s = x[0], 0.0
    for i in range(1, len(x)):
        u = u + 0.1 * (x[i] - u**3)
        s = s + u**2 + x[i] ** 2
    return np.array([s])


SERIAL = [filter_, two_back, backward, pendulum, van_der_pol, tridiagonal_solve, products, control]


def reference(f, x):
    return np.array([np.imag(f(x + 1e-30j * e)) / 1e-30 for e in np.eye(x.size)]).T


@pytest.mark.parametrize("f", SERIAL, ids=lambda f: f.__name__)
def test_a_recurrence_is_one_scan_in_every_mode(f):
    program, _ = trace(f, (X,))
    program.check()
    assert 1 <= sum(isinstance(node, Scan) for node in program.nodes) <= 3
    expected, w, v = reference(f, X), np.cos(np.arange(f(X).size)), np.sin(X)
    for mode in ("forward", "reverse", "direct"):
        jac = sad.jacobian(f, X, mode=mode)
        np.testing.assert_allclose(jac(X).toarray(), expected, rtol=1e-11, atol=1e-13)
        assert len(jac.linear.kernels) <= 10
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13)
    np.testing.assert_allclose(jac.jvp(X, v), expected @ v, rtol=1e-11)
    np.testing.assert_allclose(jac.vjp(X, w), w @ expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("f", [two_back, control], ids=lambda f: f.__name__)
def test_interpreted_code_agrees(f):
    jac = sad.jacobian(f, X, mode="forward", backend="python")
    np.testing.assert_allclose(jac(X).toarray(), reference(f, X), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("f", [filter_, pendulum, control], ids=lambda f: f.__name__)
def test_gradients_and_hessians_run_backwards_through_a_scan(f):
    def g(x):
        return np.sum(f(x) ** 2)

    x = X[:70]
    grad, hess = sad.gradient(g, x), sad.hessian(g, x)
    np.testing.assert_allclose(grad(x), [np.imag(g(x + 1e-30j * e)) / 1e-30 for e in np.eye(x.size)], rtol=1e-11)
    H = hess(x).toarray()
    differences = np.array([(grad(x + 1e-6 * e) - grad(x - 1e-6 * e)) / 2e-6 for e in np.eye(x.size)])
    np.testing.assert_allclose(H, differences, atol=1e-7 * abs(H).max())
    assert np.array_equal(H, H.T)


def test_a_pattern_has_what_every_step_reads():
    def f(x):
        r = np.zeros(40, x.dtype)
        r[0] = x[0] * x[1]
        for i in range(1, 40):
            r[i] = np.sin(r[i - 1]) * x[i % 2] if i < 20 else r[i - 1] * x[i]
        return r[1:]

    expected = reference(f, X) != 0.0
    pattern = sad.jacobian_pattern(f, X).to_scipy().toarray() != 0.0
    assert not (expected & ~pattern).any()
    assert pattern.sum() == expected.sum()


def test_the_cost_of_a_long_recurrence_grows_with_its_length():
    x = np.random.default_rng(1).random(20_000)
    program, _ = trace(control, (x,))
    assert len(program.nodes) < 60
    grad = sad.gradient(lambda x: control(x)[0], x)
    v = np.sin(np.arange(x.size))
    slope = np.imag(control(x + 1e-30j * v))[0] / 1e-30
    np.testing.assert_allclose(grad(x) @ v, slope, rtol=1e-11)
