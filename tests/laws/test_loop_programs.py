"""Random loop programs with recurrences, accumulation and read-backs, against the complex step."""

import numpy as np
import pytest

import sparsead as sad

N = 10
MODES = ("forward", "reverse", "direct", "auto")


def expression(number, a, b):
    return [
        lambda: 0.5 * np.sin(a) * b,
        lambda: 0.3 * a + 0.2 * b * b,
        lambda: a * b * 0.4 - 0.1 * a,
        lambda: 0.5 * np.exp(-a * a) + b,
    ][number]()


def random_program(seed):
    """Return a function of 10 numbers: a loop of up to four random statements on up to three buffers."""
    rng = np.random.default_rng(seed)
    length, buffers = int(rng.integers(34, 48)), int(rng.integers(1, 4))
    kinds = ["recur", "recur", "local", "accumulate", "variable", "sum", "swap"]
    body = [
        (str(rng.choice(kinds)), *(int(k) for k in rng.integers(0, (buffers, buffers, 3, 2, 4, N, 4))))
        for _ in range(int(rng.integers(1, 5)))
    ]
    ending = int(rng.integers(3))

    def f(x):
        r = [np.zeros(length, x.dtype) for _ in range(buffers)]
        for q in range(buffers):
            for i in range(3):
                r[q][i] = x[(i + q) % N] * (1.0 if i else x[0])
        v, w, s = x[0], x[1], 0.0
        for i in range(3, length):
            for kind, b, c, lag, back, e, shift, condition in body:
                if condition == 3 and i % 5 == 0:
                    continue
                y = x[(i * (1 + shift % 3) + shift) % N]
                if kind == "recur":
                    r[b][i] = expression(e, r[b][i - lag - 1], y) + 0.1 * r[c][i - back - 1]
                elif kind == "local":
                    r[b][i] = expression(e, x[i % N], y)
                elif kind == "accumulate":
                    r[b][i] += expression(e, r[c][i], y)
                elif kind == "variable":
                    v = expression(e, v, y) + 0.01 * w
                elif kind == "sum":
                    s = s + expression(e, v, r[c][i - lag - 1])
                else:
                    v, w = 0.5 * w + 0.1 * y, expression(e, v, w)
        out = np.concatenate([*r, np.array([v, w, s * 1.0])])
        return [out, out[::-1] * out, np.array([np.sum(out**2)])][ending]

    return f


def check(seed):
    f, x = random_program(seed), np.random.default_rng(seed).random(N) + 0.2
    expected = np.array([np.imag(f(x + 1e-30j * e)) / 1e-30 for e in np.eye(N)]).T
    jac = sad.jacobian(f, x, mode=MODES[seed % 4], backend="python")  # compiling would take most of the time
    scale = max(abs(expected).max(), 1.0)
    np.testing.assert_allclose(jac(x).toarray(), expected, atol=1e-11 * scale)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-12, atol=1e-13)
    assert not ((expected != 0.0) & (jac.pattern.to_scipy().toarray() == 0.0)).any()


def check_derivatives_inside(seed):
    """Derivatives of a gradient and of a product, both taken inside, against the Hessian and differences of it."""
    f, x = random_program(seed), np.random.default_rng(seed).random(N) + 0.2
    scalar, v = lambda x: np.sum(np.sin(f(x))), np.cos(np.arange(N))
    hess = sad.hessian(scalar, x, backend="python")
    scale = max(abs(hess(x)).max(), 1.0)
    slope = sad.jacobian(lambda x: sad.grad(scalar)(x) * x, x, backend="python")
    expected = hess(x).toarray() * x[:, None] + np.diag(hess.gradient(x))
    np.testing.assert_allclose(slope(x).toarray(), expected, atol=1e-11 * scale)
    pushed = sad.jacobian(lambda x: sad.jacobian(f, x).jvp(x, v) @ np.ones(np.size(f(x))), x, backend="python")
    total = sad.hessian(lambda x: np.sum(f(x)), x, backend="python")
    np.testing.assert_allclose(pushed(x).toarray()[0], total(x) @ v, atol=1e-11 * max(abs(total(x)).max(), 1.0))


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_derivatives_inside_of_a_random_loop(seed):
    check_derivatives_inside(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 4, 6, 7, 9])
def test_derivatives_inside_of_many_random_loops(seed):
    check_derivatives_inside(seed)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_loop(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 72))
def test_many_random_loops(seed):
    check(seed)
