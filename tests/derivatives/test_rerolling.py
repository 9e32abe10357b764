"""Laws of loops that are written out: prepared as loops or as they are written, derivatives are the same."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.derivatives import rerolling
from sparsead.derivatives.rerolling import rerolled
from sparsead.emit.sweep import DEFAULT_ENGINE
from sparsead.kernels import rolling
from sparsead.kernels.kernel import CallKernel
from sparsead.kernels.rolling import loop_in
from sparsead.program.evaluate import evaluate
from sparsead.sweeps import compressed
from sparsead.tracing.trace import trace

N = 12
TURNS = 11


@pytest.fixture(autouse=True)
def _short_loops(monkeypatch):
    """Let short loops be loops, too."""
    monkeypatch.setattr(rolling, "LONG", 20)
    monkeypatch.setattr(rolling, "WORK", 1)


def x0(size=N):
    return np.random.default_rng(3).uniform(0.3, 0.9, size)


def diffused(u, rate=0.1):
    d = np.zeros_like(u)
    d[1:-1] = u[:-2] - 2.0 * u[1:-1] + u[2:]
    return u + rate * d + 0.01 * u * (1.0 - u)


def euler(x):
    for _ in range(TURNS):
        x = diffused(x)
    return x


def in_place(x):
    u = x.copy()
    for _ in range(TURNS):
        u[1:-1] += 0.1 * (u[:-2] - 2.0 * u[1:-1] + u[2:])
        u[0] = 0.5 * u[1]
    return u


def two_arrays(x):
    q, p = x[: N // 2], np.sin(x[N // 2 :])
    for _ in range(TURNS):
        p = p - 0.1 * np.sin(q)
        q = q + 0.1 * p
    return np.concatenate([q, p])


def of_a_parameter(x):
    u, k = x[1:], 0.1 * x[0]
    for _ in range(TURNS):
        u = u + k * (np.roll(u, 1) - u)
    return u


def towards_the_first(x):
    u = x
    for _ in range(TURNS):
        u = u + 0.1 * np.tanh(x - u * u)
    return u


def before_and_after(x):
    u = np.cumsum(x) * x
    for _ in range(TURNS):
        u = np.cos(u) + 0.1 * np.roll(u, 1)
    return np.exp(u[::-1]) * x


def with_choices(x):
    u = x
    for _ in range(TURNS):
        u = np.where(u > 0.5, u * u, 0.5 * u + 0.1)
    return u


def nested(x):
    u = x
    for _ in range(TURNS):
        v = u
        for _ in range(3):
            v = v + 0.1 * np.sin(np.roll(v, 1))
        u = 0.5 * (u + v)
    return u


def two_loops(x):
    return euler(1.5 * before_and_after(x))


def scalars(x):
    # numbers are added up after the loop, from what its turns computed
    total = 0.0
    u = x
    for _ in range(TURNS):
        u = np.cos(u)
        total = total + np.sum(u * u)
    return u * total


def other_steps(x):
    for k in range(TURNS):
        x = diffused(x, 0.1 / (k + 1))
    return x


DATA = np.random.default_rng(4).normal(size=(TURNS, N))


def forced(x):
    u = x
    for k in range(TURNS):
        u = np.tanh(u + DATA[k] + np.sin(0.3 * k) * x) + x / (k + 1)
    return u


def weighted(x):
    u, log_likelihood = x, 0.0 * x
    for weights, target in zip(np.exp(DATA), DATA[::-1], strict=True):
        u = weights * u / (1.0 + u * u)
        log_likelihood = log_likelihood - 0.5 * (u - target) ** 2
    return log_likelihood + u


def all_states(x):
    found = []
    for _ in range(TURNS):
        x = diffused(x)
        found.append(x)
    return np.concatenate(found)


def two_steps_back_and_more(x):
    states = [x, np.sin(x), np.cos(x)]
    for _ in range(TURNS):
        states.append(states[-1] + 0.1 * states[-3])
    return states[-1]


def adams(x):
    slopes = []
    for _ in range(TURNS + 4):  # which begins with fewer slopes
        slopes.append(np.roll(x, 1) - x * x)
        last = slopes[-4:]
        x = x + 0.1 * (
            sum(last) / len(last) if len(last) < 4 else 2.3 * last[3] - 2.5 * last[2] + 1.5 * last[1] - 0.4 * last[0]
        )
    return x + 0.1 * slopes[-2]


def stages(x):
    for k in range(TURNS):  # each operation comes more than once in a turn
        h = 0.1 / (k + 2)
        first = np.roll(x, 1) - x * x + np.sin(h)
        middle = x + h * first
        second = np.roll(middle, 1) - middle * middle + np.sin(2.0 * h)
        x = x + h / 2.0 * (first + second)
    return x


def towards_a_rate(x):
    u = np.ones(N)
    for _ in range(TURNS):
        u = u + 0.1 * (np.roll(u, 1) - u * u + x * np.cos(x))
    return u


LOOPS = [
    two_steps_back_and_more, adams, stages, towards_a_rate,
    euler, in_place, two_arrays, of_a_parameter, towards_the_first, before_and_after, with_choices, nested, two_loops,
    other_steps, forced, weighted, scalars, all_states,
]  # fmt: skip


def long_states(x):
    found = []
    for _ in range(TURNS):
        x = np.cos(x) + 0.1 * x  # few operations for so long a history
        found.append(x)
    return np.concatenate(found)


def two_steps_back(x):
    before, u = x, np.sin(x)
    for _ in range(TURNS):
        before, u = u, before + 0.1 * np.cos(u)
    return u


def one_other_turn(x):
    for k in range(TURNS):
        x = diffused(x) if k != 5 else np.sin(x)
    return x


def shifted(x):
    u = x
    for k in range(TURNS):
        u = u + 0.1 * np.roll(u, k)
    return u


def masked(x):
    u = x
    for k in range(TURNS):
        u = u * (np.arange(N) % (k + 2) > 0).astype(float) + np.sin(u)  # where a zero is decides what depends on what
    return u


def powers(x):
    u = x
    for k in range(TURNS):
        u = u + 0.1 * np.sin(u) ** (k + 2.0)
    return u


LOOPS.append(long_states)
WRITTEN_OUT = [one_other_turn, shifted, masked, powers]
FUNCTIONS = [*LOOPS, *WRITTEN_OUT, two_steps_back]


def complex_step(f, x):
    columns = []
    for k in range(x.size):
        z = x.astype(complex)
        z[k] += 1e-30j
        columns.append(f(z).imag / 1e-30)
    return np.column_stack([np.atleast_1d(column) for column in columns])


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_turns_become_a_loop(f):
    program, _ = trace(f, [x0()])
    short = rerolled(program, DEFAULT_ENGINE)
    short.check()
    operations = [len(p.nodes) for p in (program, short)]
    assert operations[1] < 0.5 * operations[0]
    for x in (x0(), x0() + 0.07):
        written, found = (evaluate(p.output, {p.wrt.serial: x}) for p in (program, short))
        np.testing.assert_allclose(found, written, rtol=1e-14)  # sines of NumPy and of the C library


@pytest.mark.parametrize("f", WRITTEN_OUT, ids=lambda f: f.__name__)
def test_what_differs_from_turn_to_turn_is_no_loop(f):
    found = loop_in(trace(f, [x0()])[0])
    is_loop = found is not None
    assert not is_loop


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_jacobians_of_loops_are_those_of_written_turns(f):
    written = sad.jacobian(f, x0(), mode="compressed")
    loop = sad.jacobian(f, x0())
    again = loop.recipe.again(f, (x0(),), replace(loop.recipe.options, loops=True))
    for x in (x0(), x0() + 0.05):
        expected = complex_step(f, x) if f is not with_choices else written(x).toarray()
        for jac in (written, loop, again):
            np.testing.assert_allclose(jac(x).toarray(), expected, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-14)
        np.testing.assert_allclose(again.jvp(x, x[::-1].copy()), written.jvp(x, x[::-1].copy()), rtol=1e-12)
        w = np.cos(np.arange(f(x).size))
        np.testing.assert_allclose(again.vjp(x, w), written.vjp(x, w), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_gradients_of_loops_are_those_of_written_turns(f):
    def loss(x):
        return np.sum(np.sin(f(x)))

    grad, plain = sad.gradient(loss, x0()), sad.gradient(loss, x0(), backend="python")
    assert not plain._rolled
    for x in (x0(), x0() + 0.05):
        np.testing.assert_allclose(grad(x), plain(x), rtol=1e-12, atol=1e-15)


def richardson(f, x, e, h=1e-4):
    """Return a derivative along a direction, by central differences of fourth order."""

    def change(h):
        return (f(x + h * e) - f(x - h * e)) / (2 * h)

    return (4 * change(h) - change(2 * h)) / 3


def differences(grad, x, h=1e-4):
    """Return the derivative of a gradient."""
    return np.stack([richardson(grad, x, e, h) for e in np.eye(x.size)])


def filtered(x):
    # the likelihood of a Kalman filter
    A, P, m, total = np.eye(2) + 0.1 * x[:4].reshape(2, 2), np.eye(2), np.zeros(2), 0.0
    for y in DATA.ravel()[:30]:
        m, P = A @ m, A @ P @ A.T + x[4] * np.eye(2)
        S, v = P[0, 0] + np.exp(x[5]), y - m[0]
        K = P[:, 0] / S
        m, P = m + K * v, P - np.outer(K, P[0])
        total = total + np.log(S) + v * v / S
    return total


@pytest.mark.parametrize("f", [of_a_parameter, with_choices, nested, weighted, two_loops], ids=lambda f: f.__name__)
def test_hessians_of_loops(f):
    def loss(x):
        return np.sum(np.sin(f(x)))

    hess, grad = sad.hessian(loss, x0()), sad.gradient(loss, x0())
    assert hess._rolled
    x = x0() + 0.05
    np.testing.assert_allclose(hess(x).toarray(), differences(grad, x), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(hess.hvp(x, x[::-1].copy()), hess(x) @ x[::-1], rtol=1e-11)


def test_the_hessian_of_a_filter():
    x = x0(6)
    hess = sad.hessian(filtered, x)
    assert hess._rolled
    assert hess.passes == {"hvp": 6}
    value, gradient, H = hess.value_gradient_and_hessian(x)
    np.testing.assert_allclose(value, filtered(x), rtol=1e-14)
    np.testing.assert_allclose(gradient, complex_step(filtered, x)[0], rtol=1e-12)
    np.testing.assert_allclose(H.toarray(), differences(lambda x: complex_step(filtered, x)[0], x, 1e-3), rtol=1e-7)
    np.testing.assert_array_equal(hess.diagonal(x), H.diagonal())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(hess))(x).data, H.data)
    np.testing.assert_allclose(hess.batch(np.stack([x0(6) + 0.1, x]))[1], H.data, rtol=1e-10)


def test_hessians_that_take_many_products_are_written_out(monkeypatch):
    monkeypatch.setattr(rerolling, "MOST_PRODUCTS", 1)
    assert not sad.hessian(lambda x: np.sum(two_arrays(x)), x0())._rolled


def of_three_numbers(x):
    return euler(x[0] * np.linspace(1.0, 2.0, N) + x[1] + x[2])


@pytest.mark.parametrize(
    ("f", "n", "passes"), [(of_three_numbers, 3, (3, 0)), (lambda x: np.append(euler(x)[:2], 0.0), N, (0, 2))]
)
def test_a_loop_of_more_entries_than_its_matrix_takes_products(f, n, passes, monkeypatch):
    jac = sad.jacobian(f, x0(n))
    assert jac._rolled
    assert tuple(jac.passes.values()) == passes
    np.testing.assert_allclose(jac(x0(n) + 0.05).toarray(), complex_step(f, x0(n) + 0.05), rtol=1e-12, atol=1e-14)
    monkeypatch.setattr(rerolling, "MOST_LANES", 1)
    assert not sad.jacobian(f, x0(n))._rolled


def test_more_lanes_than_fit_a_cache_go_one_block_after_the_other(monkeypatch):
    whole = sad.jacobian(towards_a_rate, x0())
    monkeypatch.setattr(compressed, "MAX_CACHED", 8)  # two blocks, the second of which is half full
    blocks = sad.jacobian(towards_a_rate, x0())
    assert whole._rolled
    assert blocks._rolled
    np.testing.assert_array_equal(blocks(x0()).data, whole(x0()).data)


def of_one_number(x):
    return euler(x * np.linspace(1.0, 2.0, N))


def one_result(x):
    return np.sum(weighted(x)) * x[0]


@pytest.mark.parametrize(
    ("f", "n", "passes"),
    [(of_one_number, 1, (1, 0)), (one_result, N, (0, 1)), (filtered, 6, (0, 1))],
    ids=["of_one_number", "one_result", "filtered"],
)
def test_few_rows_or_columns_are_products_through_loops(f, n, passes):
    x = x0(n)
    jac = sad.jacobian(f, x)
    assert jac._rolled
    assert tuple(jac.passes.values()) == passes
    for y in (x, x + 0.05):
        expected = complex_step(f, y)
        found = jac.value_and_jacobian(y)
        np.testing.assert_allclose(jac(y).toarray(), expected, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(found[0], f(y), rtol=1e-13)
        np.testing.assert_array_equal(found[1].data, jac(y).data)
        np.testing.assert_allclose(jac.jvp(y, y), expected @ y, rtol=1e-11)
        np.testing.assert_allclose(jac.vjp(y, np.ones(len(expected))), expected.sum(axis=0), rtol=1e-11, atol=1e-13)


def rows_of_a_fit(w):
    u, rows = np.array([1.0, 0.5]), np.zeros((23, 2))
    for k in range(23):
        u = u + 0.1 * np.array([w[0] * u[0] - w[1] * u[0] * u[1], w[2] * u[0] * u[1] - w[3] * u[1]])
        rows[k] = u
    return rows.ravel() + 0.1 * np.sin(rows[20, 0])


def test_what_many_turns_collect_comes_in_several_calls(monkeypatch):
    monkeypatch.setattr(rolling, "MOVED", 2)  # calls of seven turns, and two that are left over
    x = x0(4)
    jac = sad.jacobian(rows_of_a_fit, x)
    assert jac._rolled
    assert sum(isinstance(step, CallKernel) for step in jac.kernels.kernels) == 3
    for y in (x, x + 0.05):
        np.testing.assert_allclose(jac.value(y), rows_of_a_fit(y), rtol=1e-14)
        differences = np.stack([richardson(rows_of_a_fit, y, e) for e in np.eye(4)], axis=1)
        np.testing.assert_allclose(jac(y).toarray(), differences, rtol=1e-7, atol=1e-8)
        grad = sad.gradient(lambda w: np.sum(rows_of_a_fit(w) ** 2), x)
        np.testing.assert_allclose(grad(y), 2.0 * jac(y).T @ jac.value(y), rtol=1e-12)


def test_what_the_user_names_is_done_as_it_is_written():
    assert not sad.jacobian(euler, x0(), mode="direct")._rolled
    assert not sad.jacobian(euler, x0(), threads=2)._rolled


def test_without_python(tmp_path):
    jac = sad.jacobian(euler, x0())
    source, _ = jac.export(tmp_path / "euler")
    assert "euler_jacobian" in source.read_text()
    values = np.empty(jac.pattern.nnz)
    x = x0()
    jac.c_function().ctypes(x.ctypes, values.ctypes)
    np.testing.assert_allclose(values, jac(x).data, rtol=1e-13)
    source, _ = sad.gradient(lambda x: np.sum(euler(x)), x).export(tmp_path / "loss")
    assert "loss_gradient" in source.read_text()


def test_in_other_processes():
    jac = sad.jacobian(euler, x0())
    other = pickle.loads(pickle.dumps(jac))
    np.testing.assert_array_equal(other(x0()).data, jac(x0()).data)
    assert other._rolled


@pytest.mark.slow
def test_third_derivatives_go_through_what_is_written():
    def loss(x):
        return np.sum(euler(x) ** 3)

    grad, hess = sad.gradient(loss, x0()), sad.hessian(loss, x0())
    assert grad._rolled
    x, v, h = x0(), np.cos(np.arange(N)), 1e-5
    found = sad.hessian(lambda x: grad(x)[0], x, backend="python")(x).toarray() @ v
    expected = (hess(x + h * v).toarray()[0] - hess(x - h * v).toarray()[0]) / (2 * h)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
