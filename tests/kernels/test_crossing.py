"""Cutting what would be too long: between the steps of a deep program, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops  # fills the tables that tracing reads
from sparsead.kernels.crossing import cuts
from sparsead.kernels.kernel import Kernel, reachable
from sparsead.kernels.lower import lower
from sparsead.kernels.pattern import detect
from sparsead.sweeps.direct.elimination import MOST_TERMS, eliminated
from sparsead.tracing.trace import trace
from tests.reference import complex_step


def chain(y):
    """Masses and springs; the springs at the ends are missing."""
    n = y.size // 2
    q, p = y[:n], y[n:]
    d = np.zeros(n + 1, dtype=y.dtype)
    d[1:-1] = q[1:] - q[:-1]
    s = d + 0.3 * d**3
    return np.concatenate([p, s[1:] - s[:-1]])


def runge_kutta(steps):
    def f(y):
        for _ in range(steps):
            k1 = chain(y)
            k2 = chain(y + 0.05 * k1)
            k3 = chain(y + 0.05 * k2)
            k4 = chain(y + 0.1 * k3)
            y = y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y

    return f


def code(f, x):
    """The operations of all kernels, and the intermediate arrays."""
    kernels = lower(trace(f, (x,))[0])
    found = [k for k in kernels.kernels if isinstance(k, Kernel)]
    return sum(len(reachable(s.value for s in k.stores)) for k in found), kernels.work


X = np.linspace(0.1, 1.0, 80)


def test_one_step_is_computed_in_place():
    assert not code(runge_kutta(1), X)[1]


def test_code_grows_linearly_with_the_steps():
    sizes = [code(runge_kutta(steps), X)[0] for steps in (2, 4, 8)]
    assert sizes[1] <= 2.1 * sizes[0] and sizes[2] <= 2.1 * sizes[1]


def test_what_is_given_to_an_operation_is_cut_like_a_value():
    operation = sad.extend.operation(np.cos, jvp=lambda operands, tangents: -np.sin(operands[0]) * tangents[0])
    steps = runge_kutta(4)
    assert code(lambda y: operation(steps(y)), X)[0] <= 1.1 * code(steps, X)[0]


def test_only_the_values_between_steps_are_kept():
    work = code(runge_kutta(4), X)[1]
    assert [b.size for b in work] == [X.size] * 3


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_derivatives_through_steps(mode):
    f = runge_kutta(3)
    J = sad.jacobian(f, X, mode=mode)(X).toarray()
    np.testing.assert_allclose(J, complex_step(f, X), rtol=1e-12, atol=1e-14)


def test_long_code_that_repeats_nothing_is_not_cut():
    weights = np.random.default_rng(0).standard_normal(400)

    def f(x):
        y = x
        for w in weights:
            y = y * x + w
        return y

    program, _ = trace(f, (np.ones(1000),))
    assert not cuts(program, set(), set())


def test_what_decides_is_not_kept():
    """Conditions are truth values, which have no buffers: what they are made of is kept in their place."""

    def step(u):
        left, right = np.roll(u, 1), np.roll(u, -1)
        high = u.real > 0.5 * (left + right).real
        return np.where(high, u - 0.1 * (u - left) ** 2, u + 0.05 * (right - left) * u) + 0.01 * np.roll(u, 2)

    def f(u):
        for _ in range(5):
            u = step(u)
        return u

    x = 0.5 + 0.3 * np.sin(np.arange(60.0))
    for mode in ("direct", "forward"):
        jac = sad.jacobian(f, x, mode=mode)
        assert jac.kernels.work
        np.testing.assert_allclose(jac(x).toarray(), complex_step(f, x), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-15)


def elements(E):
    """Forces of E elements with 4 points and 4 nodes in a plane, all nodes of an element coupled."""
    rng = np.random.default_rng(0)
    G = rng.standard_normal((E, 4, 4, 2))

    def f(u):
        F = np.eye(2) + 0.1 * np.einsum("eai,eqaj->eqij", u, G)
        S = np.swapaxes(np.linalg.inv(F), 2, 3) * np.log(np.linalg.det(F))[..., None, None]
        return np.einsum("eqij,eqaj->eai", S, G)

    return f


def test_code_of_elements_is_independent_of_their_number():
    sizes = {code(elements(E), np.zeros((E, 4, 2)))[0] for E in (40, 400)}
    assert len(sizes) == 1 and sizes.pop() < 1000


@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_derivatives_of_elements(mode):
    f, u = elements(9), 0.05 * np.random.default_rng(1).standard_normal((9, 4, 2))
    J = sad.jacobian(f, u, mode=mode)(u).toarray()
    h = 1e-5
    columns = [
        (f(u + h * e.reshape(u.shape)) - f(u - h * e.reshape(u.shape))).ravel() / (2 * h) for e in np.eye(u.size)
    ]
    np.testing.assert_allclose(J, np.stack(columns, axis=1), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("size", [129, 1000, 3125, 10_007, 100_000])
@pytest.mark.parametrize("reduce", [np.max, np.prod, np.nanmin])
def test_the_code_of_a_reduction_does_not_grow_with_its_length(size, reduce):
    x = 1.0 + np.random.default_rng(size).uniform(-0.5, 0.5, size) / size
    length, _ = code(lambda x: reduce(np.abs(x)), x)
    assert length < 1500
    gradient = sad.gradient(lambda x: reduce(np.abs(x)), x)(x) if size < 5000 else None
    if gradient is not None:
        value = reduce(x)
        np.testing.assert_allclose(gradient, value / x if reduce is np.prod else x == value, rtol=1e-12)


@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=pytest.mark.slow)])
@pytest.mark.parametrize("choose", [np.maximum, np.multiply, lambda m, v: max(m, v)], ids=["maximum", "product", "max"])
def test_long_chains_of_numbers(choose, backend):
    """One kernel of a thousand terms: neither time nor the depth of generated code grows out of bounds."""

    def f(x):
        m = x[0]
        for v in x[1:]:
            m = choose(m, v)
        return m * x[:2]

    x = 1.0 + np.random.default_rng(0).permutation(1100) / 1100**2
    v = np.random.default_rng(1).normal(size=x.size)
    jac = sad.jacobian(f, x, backend=backend)
    expected = jac(x) @ v
    np.testing.assert_allclose(jac.jvp(x, v), expected, rtol=1e-12)
    slope = (f(x + 1e-9 * v) - f(x - 1e-9 * v)) / 2e-9
    np.testing.assert_allclose(expected, slope, rtol=1e-4)


def mirrored_pairs(x):
    """Pairs, each read with the one opposite, twice: a number at the end is made of 32 of the first."""
    q = x.reshape(-1, 2)
    v = np.stack([q[:, 1] * q[::-1, 0], np.sin(q[:, 0])], axis=1).mean(axis=1)
    v = v * v + 0.01 * np.sum(v[:7] ** 2)
    even, odd = v[0::2], v[1::2]
    q = np.stack([even * odd, np.roll(even, 1) - odd], axis=-1)
    return np.max(np.stack([q[:, 1] * q[::-1, 0], np.sin(q[:, 0])], axis=1), axis=1) ** 2


def test_second_derivatives_of_sums_stay_short():
    n = 256
    x = np.random.default_rng(2).uniform(0.3, 1.2, n)
    weights = np.linspace(1.0, 2.0, n // 4)

    def f(x):
        v = mirrored_pairs(x)
        return np.sum(weights * v**2) + np.sum(v)

    hess = sad.hessian(f, x, mode="direct", backend="python")
    assert max(len(kernel.terms) for kernel in hess.linear.kernels) < 300  # of 1024 pairs
    gradient = sad.gradient(f, x, backend="python")
    H, step = hess(x).toarray(), 1e-6
    for j in (0, 100, n - 1):
        e = step * (np.arange(n) == j)
        np.testing.assert_allclose(H[:, j], (gradient(x + e) - gradient(x - e)) / (2 * step), atol=1e-7)


def opposite(q):
    v = np.empty_like(q)
    v[:, 0], v[:, 1:] = q[:, 2] * q[::-1, 0], np.sin(q[:, :2])
    return v


def mirrored_triples(x):
    v = (opposite(x.reshape(-1, 3)) ** 2).mean(axis=1)
    return opposite((v * v + np.sum(v[:7] ** 2) * 0.01).reshape(-1, 3)).ravel()


def test_products_that_elimination_would_write_are_bounded():
    weights = np.linspace(1.0, 2.0, 162)

    def f(x):
        return np.sum(weights * mirrored_triples(x) ** 2) + np.sum(mirrored_triples(x))

    hess = sad.hessian(f, np.linspace(0.3, 1.2, 486), mode="direct", backend="python", check=False)
    found = eliminated(hess.linear, detect(hess.linear)).linear
    before = sum(len(kernel.terms) for kernel in hess.linear.kernels)
    assert sum(len(kernel.terms) for kernel in found.kernels) <= max(MOST_TERMS, 2 * before) == MOST_TERMS
