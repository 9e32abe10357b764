"""Slots that meet at a point: what cancels there does so before it meets anything else."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.kernels.indexmap import recognise
from sparsead.kernels.kernel import Meeting, reachable
from sparsead.program.index import identity
from tests.reference import complex_step, differences

RNG = np.random.default_rng(3)
N = 12
X = 3.0 * RNG.normal(size=N)
ROWS, COLUMNS = (k.ravel() for k in np.indices((N, N)))
SOFT = 1e-12


def softened(d):
    r = np.abs(d) ** 3
    return d / np.where(r == 0.0, r + SOFT, r)


def on_a_grid(x):
    return softened(x[:, None] - x[None, :]).sum(axis=1)


def gathered(x):
    return np.bincount(ROWS, weights=softened(x[ROWS] - x[COLUMNS]), minlength=N)


def two_ways(x):
    a, b = x[:, None] - x, x - x[:, None]
    return np.sum(0.5 * softened(a) - 0.5 * softened(b), axis=1)


def weighted(x):
    w = np.where(np.eye(N) > 0, 1e12, np.abs(X[:, None] - X + np.eye(N)) ** -3)
    return np.sum(w * (np.sin(x[:, None]) - np.sin(x)), axis=1)


def pair_slopes(x):
    d = x[:, None] - x + np.eye(N)
    slopes = 2.0 / np.abs(d) ** 3
    np.fill_diagonal(slopes, 0.0)
    np.fill_diagonal(slopes, -slopes.sum(axis=1))
    return slopes


def weighted_slopes(x):
    d = x[:, None] - x + np.eye(N)
    slopes = -(np.abs(d) ** -3) * np.cos(x)
    np.fill_diagonal(slopes, 0.0)
    w = np.abs(d) ** -3
    np.fill_diagonal(w, 0.0)
    np.fill_diagonal(slopes, w.sum(axis=1) * np.cos(x))
    return slopes


CASES = [(on_a_grid, pair_slopes), (gathered, pair_slopes), (two_ways, pair_slopes), (weighted, weighted_slopes)]


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("f", "slopes"), CASES)
def test_jacobians_keep_what_cancels_exact(f, slopes, mode, backend):
    expected = slopes(X)
    jac = sad.jacobian(f, np.ones(N), mode=mode, backend=backend)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert np.all(np.abs(jac(X).toarray() - expected) <= 1e-14 * scale)
    v = RNG.normal(size=N)
    assert np.all(np.abs(jac.jvp(X, v) - expected @ v) <= 1e-13 * np.ravel(scale))
    np.testing.assert_allclose(jac.vjp(X, v), v @ expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
@pytest.mark.parametrize("difference", [lambda x: x[:, None] - x, lambda x: x[ROWS] - x[COLUMNS]])
def test_hessians_keep_what_cancels_exact(mode, difference):
    def f(x):
        d = difference(x)
        r = np.abs(d) ** 3
        return np.sum(d * d / np.where(r == 0.0, r + SOFT, r))  # 1 / |d|

    d = X[:, None] - X + np.eye(N)
    expected = -4.0 / np.abs(d) ** 3
    np.fill_diagonal(expected, 0.0)
    np.fill_diagonal(expected, -expected.sum(axis=1))
    hess = sad.hessian(f, np.ones(N), mode=mode)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert np.all(np.abs(hess(X).toarray() - expected) <= 1e-13 * scale)
    slope = 2.0 * np.sum(np.where(np.eye(N) > 0, 0.0, -np.sign(d) / d**2), axis=1)
    np.testing.assert_allclose(hess.gradient(X), slope, rtol=0, atol=1e-13 * np.abs(slope).max())
    v = RNG.normal(size=N)
    np.testing.assert_allclose(hess.hvp(X, v), expected @ v, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_a_recurrence_of_pairs_is_left_as_it_is():
    def f(x):
        y = np.zeros(40)
        for k in range(1, 40):
            y[k] = np.sin(y[k - 1]) * x[k % 3] + x[0]
        return y

    x = np.array([0.3, 0.7, 0.9])
    exact = np.stack([np.imag(_run(f, x + 1e-30j * e)) / 1e-30 for e in np.eye(3)], axis=1)
    np.testing.assert_allclose(sad.jacobian(f, x)(x).toarray(), exact, rtol=1e-12, atol=1e-14)


def _run(f, x):
    y = np.zeros(40, complex)
    for k in range(1, 40):
        y[k] = np.sin(y[k - 1]) * x[k % 3] + x[0]
    return y


def meetings(jac):
    return [
        e.value
        for k in jac.linear.kernels
        for e in reachable(t.coefficient for t in k.terms)
        if isinstance(e.value, Meeting)
    ]


def test_stencils_have_no_meetings():
    assert not meetings(sad.jacobian(lambda x: np.sin(np.roll(x, 1) - np.roll(x, -1)) * x, np.ones(50)))
    assert meetings(sad.jacobian(on_a_grid, X))


def test_inside_a_domain_without_meetings_no_condition_is_left():
    def f(x):
        padded = np.pad(x, 1, mode="edge")
        return np.sin(padded[2:] - x) * x + np.exp(padded[:-2] * x)

    jac = sad.jacobian(f, np.ones(2000), mode="direct")
    inside, around = jac.source.split("for i0 in range(1998)")[1].split("for i0 in range(2)")
    assert "==" not in inside and "==" in around
    x = RNG.uniform(size=2000)
    directions = np.zeros(2000)
    directions[:3] = 1.0
    np.testing.assert_allclose(jac(x) @ directions, np.imag(f(x + 1e-30j * directions)) / 1e-30, rtol=1e-13)


@pytest.mark.parametrize("kind", ["affine", "separable", "table", "mixed"])
def test_maps_meet_where_their_arrays_do(kind):
    for _ in range(60):
        a, b = (some_map(kind) for _ in range(2))
        assert a.meets(b) == bool((a.array() == b.array()).any())


def some_map(kind):
    grid = identity((6, 5)) + RNG.integers(0, 4)
    match kind if kind != "mixed" else RNG.choice(["affine", "separable", "table"]):
        case "affine":
            return recognise(
                np.asarray([grid, grid[::-1], grid[:, ::-1], np.broadcast_to(grid[:1], (6, 5))][RNG.integers(4)])
            )
        case "separable":
            return recognise(np.roll(grid, RNG.integers(0, 3, 2), axis=(0, 1)))
    return recognise(RNG.integers(0, 90, (6, 5)))


PAIRS = {
    "product": lambda a, b: a * b,
    "quotient": lambda a, b: a / (1.0 + b * b),
    "ratio": lambda a, b: (a - b) / (a + b),
    "root": lambda a, b: np.sqrt(a * b + 1.0) * a,
    "power": lambda a, b: a**b,
    "logarithm": lambda a, b: np.log(a * a + b) * b,
    "shifted": lambda a, b: 1.0 / (a - b + 3.0) ** 2,
    "expanded": lambda a, b: 1.0 / (a * a - 2.0 * a * b + b * b + 1e-3),
    "two ways": lambda a, b: (a - b) * (b - a + 2.0) / (b + 0.5) + a / b,
}


@pytest.mark.parametrize("n", [4, pytest.param(17, marks=pytest.mark.slow)])
@pytest.mark.parametrize("pair", PAIRS)
def test_any_function_of_pairs(pair, n):
    """Jacobian and Hessian in every mode, summed in one expression or scattered, through one layer or two."""
    x, w = RNG.uniform(0.5, 1.5, n), RNG.uniform(0.5, 1.5, (n, n))
    rows, columns = (k.ravel() for k in np.indices((n, n)))
    ways = {
        "outer": lambda x: np.sum(w * PAIRS[pair](x[:, None], x), axis=1),
        "gathered": lambda x: _scattered(rows, PAIRS[pair](x[rows], x[columns]) * w.ravel(), n),
        "layered": lambda x: np.sum(w * PAIRS[pair](x[:, None], x), axis=1) * np.sum(PAIRS[pair](x, x[:, None]) * w),
    }
    for f in ways.values():
        expected = complex_step(f, x)
        for mode in ("direct", "forward", "reverse"):
            found = sad.jacobian(f, x, mode=mode, backend="python")(x).toarray()
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())

        def total(x, f=f):
            return np.sum(f(x) + f(x) ** 2 / n)

        slopes = lambda x, total=total: complex_step(total, x)[0]  # noqa: E731
        expected = differences(slopes, x)
        for mode in ("direct", "star", "column"):
            hess = sad.hessian(total, x, mode=mode, backend="python")
            found = hess(x).toarray()
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.abs(expected).max())
            np.testing.assert_array_equal(found, found.T)
            np.testing.assert_allclose(hess.hvp(x, x), found @ x, rtol=0, atol=1e-10 * np.abs(found).max())


def _scattered(rows, values, n):
    total = np.zeros(n, dtype=values.dtype)
    np.add.at(total, rows, values)
    return total


def of_two_colors(x):
    grid = x.reshape(5, 5)
    v = grid.copy()
    v[1:4:2] = 0.5 * (v[0:3:2] + v[2:5:2]) + grid[1:4:2] ** 2
    v[2:4:2] = 0.5 * (v[1:3:2] + v[3:5:2]) + grid[2:4:2] ** 2
    return np.sum(np.sqrt(np.maximum(v - 0.2, 0.0)))


@pytest.mark.parametrize("triangle", ["full", "lower", "upper"])
def test_a_row_that_has_taken_over_what_its_mirror_image_has_not(triangle):
    x = np.linspace(0.55, 1.45, 25)[np.random.default_rng(5).permutation(25)]
    found = sad.hessian(of_two_colors, x, triangle=triangle, mode="direct")(x).toarray()
    step = 1e-5
    slopes = [(complex_step(of_two_colors, x + d) - complex_step(of_two_colors, x - d)) for d in step * np.eye(25)]
    expected = np.array(slopes).reshape(25, 25) / (2.0 * step)
    cut = {"full": np.copy, "lower": np.tril, "upper": np.triu}[triangle]
    np.testing.assert_allclose(found, cut(expected), atol=1e-7)
    assert triangle != "full" or np.array_equal(found, found.T)


def distances(x):
    return np.sqrt(np.sum((x.reshape(-1, 2)[:, None] - x.reshape(-1, 2)) ** 2, axis=-1))


SINGULAR = {
    "one kernel": lambda x: np.sum(np.sqrt((x[:, None] - x) ** 2), axis=1),
    "read twice": lambda x: np.sum(np.exp(-distances(x)) * (1.0 + distances(x)), axis=1),
    "solved": lambda x: np.linalg.solve(np.exp(-distances(x)) + np.eye(3), x[:3]),
    "two layers": lambda x: np.cumsum(np.sqrt(1e-3 + distances(x)), axis=1) @ x[:3],
    "a factor": lambda x: np.sum(np.sqrt(np.abs(np.sin(x)[:, None] * x.sum() - np.sin(x) * x.sum())), axis=1),
    "ratios": lambda x: np.sum(np.sqrt((np.exp(x)[:, None] / np.exp(x) - 1.0) ** 2), axis=1),
    "with itself": lambda x: np.sqrt(x - x) + np.arccos(x / x) * x,
}


@pytest.mark.parametrize("name", SINGULAR)
def test_a_difference_that_is_zero_for_every_x_has_no_slope(name):
    """The root of it has an infinite slope, which meets a constant."""
    f, x = SINGULAR[name], np.array([0.7, -0.4, 1.3, 0.2, -1.1, 0.9])
    for mode in ("direct", "forward", "reverse"):
        found = sad.jacobian(f, x, mode=mode)(x).toarray()
        np.testing.assert_allclose(found, differences(f, x), rtol=0, atol=1e-7)
    hess = sad.hessian(lambda x: np.cos(np.arange(f(x).size)) @ f(x), x)
    np.testing.assert_allclose(hess(x).toarray(), differences(hess.gradient, x), rtol=0, atol=1e-5)


def filled(x, one, other):
    y = np.zeros((x.size, x.size))
    y += one(x)
    y -= other(x)[:, None]
    return y


#: d(x)[i, j] is x[j] - x[i], or a multiple that does not vanish, written in several ways
DIFFERENCES = {
    "in place": lambda x: filled(x, lambda x: x, lambda x: x),
    "twice in place": lambda x: filled(x, lambda x: x - 1.0, lambda x: x - 1.0),
    "sum with a negative": lambda x: x + (-x[:, None]),
    "moved": lambda x: (x - 3.0) - (x[:, None] - 3.0),
    "in another order": lambda x: x - 3.0 - x[:, None] + 3.0,
    "weighted": lambda x: (x - x[:, None]) / (x + x[:, None]),
    "weighted in place": lambda x: filled(x, lambda x: x * x, lambda x: x * x) * (x + x[:, None]),
    "negative": lambda x: -np.subtract.outer(x, x) * np.exp(x),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_cancels_is_zero_under_a_root(name):
    x = np.array([1.0, 2.0, 4.0, 7.0])

    def f(x):
        d = DIFFERENCES[name](x)
        return np.sum(np.sqrt(d * d), axis=1)

    def total(x):
        return np.sum(f(x) ** 2)

    expected = differences(f, x)
    for mode in ("direct", "forward", "reverse"):
        found = sad.jacobian(f, x, mode=mode, backend="python")(x).toarray()
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    expected = differences(lambda x: differences(total, x)[0], x)
    found = sad.hessian(total, x, backend="python")(x).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
