"""Time stepping, filters, iterations as people write them, of few unknowns: ``python -m benchmarks.iterations``.

What is long here is the program, not its arrays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import numpy as np
import scipy.linalg

import sparsead as sad
from benchmarks.contenders import no_cache, one_core
from benchmarks.report import Part, Table, show

ROUNDS = 21
Array = np.ndarray[Any, Any]
CASES: dict[str, tuple[Callable[[Array], Any], int]] = {}


def case(unknowns: int) -> Callable[[Callable[[Array], Any]], Callable[[Array], Any]]:
    """Count a function among the cases, by the first line of its docstring (a decorator)."""

    def counted(f: Callable[[Array], Any]) -> Callable[[Array], Any]:
        CASES[(f.__doc__ or "").rstrip(".")] = f, unknowns
        return f

    return counted


def reaction(u: Array) -> Any:
    return np.roll(u, 1) - 2 * u + np.roll(u, -1) + u - u**3


@case(60)
def two_steps(u: Array) -> Any:
    """40 steps of Adams and Bashforth, second order."""
    before = reaction(u)
    for _ in range(40):
        now = reaction(u)
        u, before = u + 0.01 * (1.5 * now - 0.5 * before), now
    return u


@case(60)
def four_steps(u: Array) -> Any:
    """30 steps of Adams and Bashforth, fourth order, slopes in a list."""
    slopes = []
    for _ in range(30):
        slopes.append(reaction(u))
        if len(slopes) < 4:
            u = u + 0.01 * slopes[-1]
        else:
            u = u + 0.01 / 24 * (55 * slopes[-1] - 59 * slopes[-2] + 37 * slopes[-3] - 9 * slopes[-4])
    return u


@case(40)
def stages(u: Array) -> Any:
    """6 steps of Fehlberg's method, coefficients in lists."""
    table = [
        [], [1 / 4], [3 / 32, 9 / 32], [1932 / 2197, -7200 / 2197, 7296 / 2197],
        [439 / 216, -8, 3680 / 513, -845 / 4104],
    ]  # fmt: skip
    for _ in range(6):
        slopes: list[Any] = []
        for row in table:
            slopes.append(reaction(u + 0.02 * sum(a * k for a, k in zip(row, slopes, strict=True))))
        u = u + 0.02 * sum(b * k for b, k in zip([25 / 216, 0, 1408 / 2565, 2197 / 4104, -1 / 5], slopes, strict=True))
    return u


@case(30)
def implicit(u: Array) -> Any:
    """5 implicit steps, three of Newton's in each."""
    n = u.size
    L = np.diag(-2 * np.ones(n)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    for _ in range(5):
        v = u
        for _ in range(3):
            residual = v - u - 0.1 * (L @ v + v - v**3)
            v = v - np.linalg.solve(np.eye(n) - 0.1 * (L + np.diag(1 - 3 * v**2)), residual)
        u = v
    return u


@case(60)
def banded(u: Array) -> Any:
    """20 steps that solve a banded system each."""
    bands = np.zeros((3, u.size))
    bands[0, 1:], bands[1], bands[2, :-1] = -0.05, 1.1, -0.05
    for _ in range(20):
        r = u.copy()
        r[1:-1] += 0.05 * (u[:-2] - 2 * u[1:-1] + u[2:]) + 0.01 * u[1:-1] ** 2
        u = scipy.linalg.solve_banded((1, 1), bands, r)
    return u


@case(64)
def parallel_in_time(u: Array) -> Any:
    """Parareal: 3 corrections of 4 coarse steps."""

    def coarse(u: Array) -> Any:
        return u + 0.1 * reaction(u)

    def fine(u: Array) -> Any:
        for _ in range(4):
            u = u + 0.025 * reaction(u)
        return u

    states = [u]
    for _ in range(4):
        states.append(coarse(states[-1]))
    for _ in range(3):
        jumps = [fine(state) - coarse(state) for state in states[:-1]]
        states = [u]
        for jump in jumps:
            states.append(coarse(states[-1]) + jump)
    return states[-1]


@case(256)
def multigrid(u: Array) -> Any:
    """A V-cycle over 8 grids, nonlinear smoothing."""

    def residual(u: Array, f: Array, h: float) -> Any:
        r = np.zeros_like(u)
        r[1:-1] = f[1:-1] - (2 * u[1:-1] - u[:-2] - u[2:]) / h**2 - u[1:-1] ** 3
        return r

    def cycle(u: Array, f: Array, h: float) -> Any:
        for _ in range(3):
            u = u + 0.3 * h**2 * residual(u, f, h)
        if u.size > 5:
            coarse = residual(u, f, h)[::2].copy()
            e, fine = cycle(np.zeros_like(coarse), coarse, 2 * h), np.zeros_like(u)
            fine[::2], fine[1:-1:2] = e, 0.5 * (e[:-1] + e[1:])
            u = u + fine
        return u

    f = np.append(u, 0.0)
    return cycle(f, f, 1 / 256)


@case(64)
def gauss_seidel(u: Array) -> Any:
    """5 sweeps over 8 x 8 points, point by point."""
    u = u.reshape(8, 8).copy()
    for _ in range(5):
        for i in range(1, 7):
            for j in range(1, 7):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]) + 0.01 * u[i, j] ** 2
    return u.ravel()


@case(40)
def conjugate_gradients(b: Array) -> Any:
    """12 steps of conjugate gradients."""

    def times(v: Array) -> Any:
        return 3 * v - np.roll(v, 1) - np.roll(v, -1)

    x = np.zeros(b.size)
    p = r = b - times(x)
    square = r @ r
    for _ in range(12):
        q = times(p)
        x, r = x + square / (p @ q) * p, r - square / (p @ q) * q
        before, square = square, r @ r
        p = r + square / before * p
    return x


@case(30)
def recurrent(w: Array) -> Any:
    """A recurrent network over 40 inputs."""
    h, W, bias = np.zeros(5), w[:25].reshape(5, 5), w[25:]
    for given in np.random.default_rng(0).standard_normal((40, 5)):
        h = np.tanh(W @ h + bias + given)
    return h


@case(12)
def kalman(w: Array) -> Any:
    """The likelihood of 30 observations by a Kalman filter."""
    A = np.eye(3) + 0.1 * w[:9].reshape(3, 3)
    process, noise, scale = w[9:]
    P, m, H, likelihood = np.eye(3), np.zeros(3), np.array([[1.0, 0.0, 0.0]]), 0.0
    for y in np.sin(0.3 * np.arange(30)):
        m, P = A @ m, A @ P @ A.T + np.exp(process) * np.eye(3)
        S, v = (H @ P @ H.T)[0, 0] + np.exp(noise), y - m[0] * scale
        K = (P @ H.T)[:, 0] / S
        m, P = m + K * v, P - np.outer(K, H @ P)
        likelihood = likelihood - 0.5 * (np.log(S) + v * v / S)
    return likelihood


@case(30)
def transport(x: Array) -> Any:
    """30 steps of Sinkhorn's."""
    K = np.exp(-(np.subtract.outer(x, np.linspace(0, 1, 30)) ** 2) / 0.1)
    a = v = np.full(30, 1 / 30)
    for _ in range(30):
        u = a / (K @ v)
        v = a / (K.T @ u)
    return -(u[:, None] * K * np.log(K) * v).sum(axis=1)  # the cost of what leaves each point


@case(301)
def clipped(x: Array) -> Any:
    """300 turns of a recurrence of numbers that is clipped."""
    y, found = 0.5, np.zeros(300)
    for i in range(300):
        y = np.clip(x[-1] * y + x[i], 0.0, 1.0)
        found[i] = y
    return found


@case(400)
def jacobi(u: Array) -> Any:
    """50 sweeps of Jacobi's method over 20 x 20 points."""
    u, given = np.pad(u.reshape(20, 20), 1), u.reshape(20, 20)
    for _ in range(50):
        v = u.copy()
        v[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] + 0.01 * given)
        u = v
    return u[1:-1, 1:-1].ravel()


def lorenz(u: Array, w: Any = (10.0, 28.0, 8.0 / 3.0)) -> Any:
    return np.array([w[0] * (u[1] - u[0]), u[0] * (w[1] - u[2]) - u[1], u[0] * u[1] - w[2] * u[2]])


@case(3)
def runge_kutta(u: Array) -> Any:
    """100 steps of Runge and Kutta on Lorenz' equations."""
    for _ in range(100):
        k1 = lorenz(u)
        k2 = lorenz(u + 0.005 * k1)
        k3 = lorenz(u + 0.005 * k2)
        u = u + 0.01 / 6 * (k1 + 2 * k2 + 2 * k3 + lorenz(u + 0.01 * k3))
    return u


@case(60)
def changing_steps(u: Array) -> Any:
    """100 steps of Heun's method, of changing length."""
    h = 0.01
    for _ in range(100):
        k = reaction(u)
        u = u + 0.5 * h * (k + reaction(u + h * k))
        h = 1.01 * h
    return u


@case(4)
def residuals(w: Array) -> Any:
    """100 residuals of a fit, collected step by step."""
    u, found = np.array([1.0, 0.5]), []
    for seen in 1.0 + 0.5 * np.cos(0.1 * np.arange(100)):
        u = u + 0.1 * np.stack([w[0] * u[0] - w[1] * u[0] * u[1], w[2] * u[0] * u[1] - w[3] * u[1]])
        found.append(u[0] - seen)
    return np.array(found)


@case(300)
def pendulum(u: Array) -> Any:
    """A pendulum under 300 controls, Euler."""
    s = np.array([0.1, 0.0])
    for k in range(u.size):
        s = s + 0.01 * np.array([s[1], -np.sin(s[0]) + u[k]])
    return s


def effort(u: Array) -> Any:
    """The cost of 100 controls of a pendulum"""
    s, total = np.array([0.1, 0.0]), 0.0
    for k in range(u.size):
        s = s + 0.05 * np.array([s[1], -np.sin(s[0]) + u[k]])
        total = total + s[0] ** 2 + 0.1 * u[k] ** 2
    return total


def volatility(w: Array) -> Any:
    """GARCH(1, 1) of two series that feed each other, 200 days"""
    mixed, mean = 0.1 * w[:4].reshape(2, 2), w[4:]
    h, total = np.ones(2), 0.0
    for given in np.random.default_rng(0).standard_normal((200, 2)):
        e = given - mean
        total = total + np.sum(np.log(h) + e * e / h)
        h = 0.2 + mixed @ (e * e) + 0.6 * h
    return total


def predators(w: Array) -> Any:
    """Predators and prey fitted to 100 days, Runge-Kutta"""

    def rate(u: Array) -> Any:
        return np.stack([w[0] * u[0] - w[1] * u[0] * u[1], w[2] * u[0] * u[1] - w[3] * u[1]])

    u, total = np.array([1.0, 0.5]), 0.0
    for seen in 1.0 + 0.5 * np.cos(0.1 * np.arange(100)):
        k1 = rate(u)
        k2 = rate(u + 0.05 * k1)
        k3 = rate(u + 0.05 * k2)
        u = u + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + rate(u + 0.1 * k3))
        total = total + (u[0] - seen) ** 2
    return total


def autoregression(w: Array) -> Any:
    """Three series, each of which depends on all at the last two days, 200 days"""
    first, second = 0.2 * w[:9].reshape(3, 3), 0.1 * w[9:].reshape(3, 3)
    e, total = np.zeros(3), 0.0
    series = np.random.default_rng(0).standard_normal((200, 3))
    for before, last, now in zip(series, series[1:], series[2:], strict=False):
        e = now - first @ last - second @ before - 0.3 * np.tanh(e)
        total = total + np.sum(e * e)
    return total


HESSIANS: tuple[tuple[Callable[[Array], Any], int], ...] = (
    (kalman, 12), (volatility, 6), (predators, 4), (autoregression, 18), (effort, 100),
)  # fmt: skip


def of_second_order(f: Callable[[Array], Any], unknowns: int) -> tuple[float, float, float, float, float]:
    """Return seconds to prepare a Hessian, milliseconds of it, of the gradient and of f, how far from differences."""
    x = 0.3 + 0.2 * np.sin(1.7 * np.arange(unknowns))
    start = time.process_time()
    hess = sad.hessian(f, x)
    prepared = time.process_time() - start
    taken: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        for call, times in zip((hess, hess.gradient, f), taken, strict=True):
            start = time.process_time()
            call(x)
            times.append(time.process_time() - start)
    gradient = partial(_complex_step, f)
    return (prepared, *(1e3 * float(np.median(t)) for t in taken), _error(gradient, x, hess(x).toarray()))


def _complex_step(f: Callable[[Array], Any], x: Array) -> Array:
    return np.array([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)])


def measured(f: Callable[[Array], Any], unknowns: int) -> tuple[float, float, float, float]:
    """Return seconds to prepare Jacobian and gradient, milliseconds of a Jacobian, how far it is from differences."""
    x = 0.3 + 0.2 * np.sin(1.7 * np.arange(unknowns))
    start = time.process_time()
    jac = sad.jacobian(f, x)
    jacobian = time.process_time() - start
    start = time.process_time()
    sad.gradient(lambda x: np.sum(f(x)), x)
    gradient = time.process_time() - start
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        J = jac(x)
        taken.append(time.process_time() - start)
    return jacobian, gradient, 1e3 * float(np.median(taken)), _error(f, x, J.toarray())


def _error(f: Callable[[Array], Any], x: Array, J: Array) -> float:
    """Return the largest difference of a Jacobian to central differences of fourth order, against its largest entry."""

    def change(e: Array, h: float) -> Array:
        return (np.ravel(f(x + h * e)) - np.ravel(f(x - h * e))) / (2 * h)

    expected = np.stack([(4 * change(e, 5e-4) - change(e, 1e-3)) / 3 for e in np.eye(x.size)], axis=1)
    return float(abs(J - expected).max() / abs(expected).max())


def run() -> list[Part]:
    one_core()
    with no_cache():
        sad.jacobian(np.sin, np.ones(3))  # imports
        rows = [(name, n, *measured(f, n)) for name, (f, n) in CASES.items()]
        second = [((f.__doc__ or "").rstrip("."), n, *of_second_order(f, n)) for f, n in HESSIANS]
    return [
        Table(
            "Iterations",
            ("", "n", "prepare Jacobian, s", "prepare gradient, s", "one matrix, ms", "to differences"),
            rows,
            "Seconds of the processor, nothing cached; run by `python -m benchmarks.iterations`.",
        ),
        Table(
            "Hessians of likelihoods and fits",
            ("", "n", "prepare, s", "Hessian, ms", "gradient, ms", "f, ms", "to differences"),
            second,
            "The same; the gradient is `hess.gradient`, differences are of complex steps.",
        ),
    ]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
