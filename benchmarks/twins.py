"""Functions written twice: as loops over elements, and with arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.problems.broyden import banded


def broyden_loop(x):
    n = len(x)
    r = np.zeros(n)
    for i in range(n):
        left = x[i - 1] if i > 0 else 0.0
        right = x[i + 1] if i < n - 1 else 0.0
        r[i] = (3.0 - 2.0 * x[i]) * x[i] - left - 2.0 * right + 1.0
    return r


def broyden_array(x):
    padded = np.concatenate([[0.0], x, [0.0]])
    return (3.0 - 2.0 * x) * x - padded[:-2] - 2.0 * padded[2:] + 1.0


def banded_array(x):
    n = len(x)
    terms = np.concatenate([np.zeros(5), x * (1.0 + x), np.zeros(1)])
    r = x * (2.0 + 5.0 * x**2) + 1.0
    for offset in (-5, -4, -3, -2, -1, 1):
        r = r - terms[5 + offset : 5 + offset + n]
    return r


def rosenbrock_loop(x):
    s = 0.0
    for i in range(len(x) - 1):
        s = s + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s


def rosenbrock_array(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_terms_loop(x):
    r = []
    for i in range(len(x) - 1):
        r.append(10.0 * (x[i + 1] - x[i] ** 2))
        r.append(1.0 - x[i])
    return r


def rosenbrock_terms_array(x):
    return np.stack([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]], axis=1).ravel()


def wood_loop(x):
    s = 0.0
    for i in range(0, len(x), 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        s += 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 + 90.0 * (d - c * c) ** 2 + (1.0 - c) ** 2
        s += 10.0 * (b + d - 2.0) ** 2 + 0.1 * (b - d) ** 2
    return s


def wood_array(x):
    a, b, c, d = x.reshape(-1, 4).T
    terms = 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 + 90.0 * (d - c * c) ** 2 + (1.0 - c) ** 2
    return np.sum(terms + 10.0 * (b + d - 2.0) ** 2 + 0.1 * (b - d) ** 2)


def bratu_loop(x):
    n = int(len(x) ** 0.5)
    u = x.reshape(n, n)
    r = np.zeros((n, n))
    for i in range(1, n - 1):
        for j in range(1, n - 1):
            r[i, j] = 4.0 * u[i, j] - u[i - 1, j] - u[i + 1, j] - u[i, j - 1] - u[i, j + 1] - 0.1 * np.exp(u[i, j])
    for i in range(n):
        r[i, 0], r[i, -1], r[0, i], r[-1, i] = u[i, 0], u[i, -1], u[0, i], u[-1, i]
    return r.ravel()


def bratu_array(x):
    n = int(len(x) ** 0.5)
    u = x.reshape(n, n)
    r = u.copy()
    inner = 4.0 * u[1:-1, 1:-1] - u[:-2, 1:-1] - u[2:, 1:-1] - u[1:-1, :-2] - u[1:-1, 2:] - 0.1 * np.exp(u[1:-1, 1:-1])
    r[1:-1, 1:-1] = inner
    return r.ravel()


def five_point_loop(x):
    n = int(len(x) ** 0.5)
    u = x.reshape(n, n)
    r = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            s = 4.0 * u[i, j]
            if i > 0:
                s -= u[i - 1, j]
            if i < n - 1:
                s -= u[i + 1, j]
            if j > 0:
                s -= u[i, j - 1]
            if j < n - 1:
                s -= u[i, j + 1]
            r[i, j] = s + u[i, j] ** 3
    return r.ravel()


def five_point_array(x):
    n = int(len(x) ** 0.5)
    u = np.pad(x.reshape(n, n), 1)
    inner = u[1:-1, 1:-1]
    return (4.0 * inner - u[:-2, 1:-1] - u[2:, 1:-1] - u[1:-1, :-2] - u[1:-1, 2:] + inner**3).ravel()


def elements_loop(x):
    s = 0.0
    for e in range(0, len(x) - 7, 4):
        p = 1.0
        q = 0.0
        for k in range(8):
            p = p * (1.0 + 0.1 * x[e + k])
            q = q + np.sin(x[e + k]) * x[e + (k + 1) % 8]
        s = s + p * p + np.exp(-q)
    return s


def elements_array(x):
    start = np.arange(0, len(x) - 7, 4)
    v = [x[start + k] for k in range(8)]
    p, q = 1.0, 0.0
    for k in range(8):
        p = p * (1.0 + 0.1 * v[k])
        q = q + np.sin(v[k]) * v[(k + 1) % 8]
    return np.sum(p * p + np.exp(-q))


@dataclass(frozen=True)
class Twins:
    """A function written twice; `square` where its size is that of a square grid."""

    name: str
    loop: Callable[[np.ndarray], Any]
    array: Callable[[np.ndarray], Any]
    square: bool = False

    def size(self, n: int) -> int:
        """Return the size nearest to `n` that the functions take."""
        return int(n**0.5) ** 2 if self.square else n - n % 4


TWINS = [
    Twins("Broyden tridiagonal", broyden_loop, broyden_array),
    Twins("Broyden banded", banded, banded_array),
    Twins("chained Rosenbrock", rosenbrock_loop, rosenbrock_array),
    Twins("its terms", rosenbrock_terms_loop, rosenbrock_terms_array),
    Twins("extended Wood", wood_loop, wood_array),
    Twins("Bratu, nested loops", bratu_loop, bratu_array, square=True),
    Twins("five-point, branches", five_point_loop, five_point_array, square=True),
    Twins("elements of 8", elements_loop, elements_array),
]
