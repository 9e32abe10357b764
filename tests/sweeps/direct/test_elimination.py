"""Intermediate arrays left out: equal matrices, chosen by counted operations, told by `print`."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from benchmarks.steps import STEPS
from sparsead.kernels.pattern import detect
from sparsead.problems import power_flow
from sparsead.program.scalar import Pool
from sparsead.sweeps.direct import elimination
from sparsead.sweeps.direct.counting import Counts
from sparsead.sweeps.direct.elimination import eliminated

RNG = np.random.default_rng(5)
N = 120
A, B = (scipy.sparse.random_array((N, N), density=0.03, random_state=RNG, format="csr") for _ in range(2))
PICK = RNG.permutation(N)


def by_complex_step(f, x):
    return np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)], axis=1)


def two_matrices(x):
    u = np.sin(x)
    return u * (A @ u) - np.exp(-(B @ (u * x)))


def three_layers(x):
    y = A @ np.tanh(x)
    z = B @ (y * y)
    return np.sin(z) * y[PICK]


def gathered(x):
    y = np.concatenate([np.exp(x[PICK[:50]]), x[PICK[50:]] ** 3])
    return np.log(2.0 + (A @ y) ** 2) * y


def stencil(x):
    y = np.tanh(x)
    for _ in range(2):
        y = np.exp(np.sin(y) + np.roll(y, 1) * np.sqrt(2.0 + np.roll(y, -1))) * 0.1
    return y


@pytest.mark.parametrize("f", [two_matrices, three_layers, gathered, stencil])
def test_the_matrix_stays_the_same(f):
    x = np.linspace(0.2, 1.1, N)
    jac = sad.jacobian(f, x, mode="direct")
    J = jac(x)
    expected = by_complex_step(f, x)
    np.testing.assert_allclose(J.toarray(), expected, rtol=1e-11, atol=1e-12)
    J.data[:] = np.nan  # every entry must be rewritten
    np.testing.assert_allclose(jac(x, out=J).toarray(), expected, rtol=1e-11, atol=1e-12)
    y, J = jac.value_and_jacobian(x)
    np.testing.assert_allclose(y, f(x), rtol=1e-13)
    np.testing.assert_allclose(J.toarray(), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("f", [two_matrices, three_layers])
def test_hessians_stay_symmetric(f):
    x = np.linspace(0.2, 1.1, N)
    direct = sad.hessian(lambda x: np.sum(f(x) ** 2), x, mode="direct")
    other = sad.hessian(lambda x: np.sum(f(x) ** 2), x, mode="column")
    H = direct(x).toarray()
    np.testing.assert_array_equal(H, H.T)
    np.testing.assert_allclose(H, other(x).toarray(), rtol=1e-10, atol=1e-11)


def turned(x):
    """Rotations of which each is applied at many points: all that depends on one is worth putting together."""
    angle = np.exp(x[: N // 12])[PICK % (N // 12)]
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([c * x - s * np.roll(x, 1), s * x + c * np.roll(x, 1)])


def chain(x):
    return A @ np.tanh(B @ np.sin(A.T @ x))


def cheapest_of_all_orders(linear, patterns):
    """Return the least cost that any order of any of the arrays leads to, by trying all."""
    least = Counts(linear, patterns).cost(linear)
    pending = [((), list(linear.kernels), [])]
    while pending:
        gone, kernels, stored = pending.pop()
        for buffer in (b for b in linear.work if b not in gone):
            eliminator = elimination.Eliminator(list(stored))
            found = elimination.reached(eliminator.without(buffer, list(kernels)), linear.source)
            program = elimination._without(linear, found, eliminator.stored)
            least = min(least, Counts(program, patterns).cost(program, eliminator.stored))
            pending.append(((*gone, buffer), found, eliminator.stored))
    return least


@pytest.mark.parametrize("f", [two_matrices, three_layers, gathered, turned, chain])
def test_the_order_is_near_the_best_of_all(f):
    linear = sad.jacobian(f, np.linspace(0.2, 1.1, N), mode="forward", check=False).linear
    patterns = detect(linear)
    found, least = eliminated(linear, patterns).cost, cheapest_of_all_orders(linear, patterns)
    assert 1 <= len(linear.work) <= 4
    assert least <= found * (1.0 + 1e-9)
    assert found <= 1.15 * least


def test_what_was_found_is_found_once(monkeypatch):
    linear = sad.jacobian(three_layers, np.linspace(0.2, 1.1, N), mode="forward").linear
    patterns = detect(linear)
    first = eliminated(linear, patterns)
    monkeypatch.setattr(elimination, "Eliminator", None)
    again = eliminated(dataclasses.replace(linear), patterns)
    assert first.arrays and again.arrays == first.arrays and again.linear.kernels == first.linear.kernels
    with pytest.raises(TypeError):  # of other kernels nothing is known
        eliminated(linear.transposed(), detect(linear.transposed()))


def test_power_flow_is_one_layer_and_says_so():
    problem = power_flow(20)
    jac = sad.jacobian(problem.f, problem.x0, *problem.args)
    assert jac.mode == "direct"
    found = eliminated(jac.linear, detect(jac.linear))
    assert not found.linear.work and found.cost < found.before
    assert str(found) in str(jac) and f"without {len(found.arrays)} intermediate array" in str(jac)
    forward = sad.jacobian(problem.f, problem.x0, *problem.args, mode="forward")
    x = problem.x0 + 0.05 * RNG.standard_normal(problem.x0.size)
    expected = forward(x, *problem.args)
    assert abs(jac(x, *problem.args) - expected).max() <= 1e-13 * abs(expected).max()


@pytest.mark.parametrize("areas", [5, 20])
def test_calls_of_functions_are_computed_once_for_all_that_reads_them(areas):
    """The diagonal reads the sine of an angle once, the entries beside it several times: one loop computes it."""
    problem = power_flow(areas)
    source = sad.jacobian(problem.f, problem.x0, *problem.args, mode="direct").source
    angles = problem.args[0].turning.size
    points = {"sin": 0, "cos": 0}
    size = 0
    for line in source.splitlines():
        size = int(re.search(r"range\((\d+)\)", line)[1]) if re.search(r"for i0 in range\(\d+\)", line) else size
        for name in points:
            points[name] += size * line.count(f" {name}(")
    assert points == {"sin": angles, "cos": angles}


def test_what_costs_more_is_left_alone():
    def dense(x):  # every element of y would be read by all, and each depends on all
        y = np.sin(np.ones((60, 60)) @ x)
        return np.exp(np.cos(np.arange(3600.0).reshape(60, 60)) @ (y * x))

    x = np.linspace(0.1, 0.2, 60)
    jac = sad.jacobian(dense, x, mode="direct")
    found = eliminated(jac.linear, detect(jac.linear))
    assert found.cost <= found.before
    np.testing.assert_allclose(jac(x).toarray(), by_complex_step(dense, x), rtol=1e-10)


@pytest.mark.parametrize(("step", "count", "most"), [("Euler", 20, 2 * elimination.IN_A_ROW), ("chain", 2, 0)])
def test_search_ends_early_in_time_steps(step, count, most, monkeypatch):
    def f(u):
        for _ in range(count):
            u = STEPS[step](u)
        return u

    linear = sad.jacobian(f, np.linspace(0.1, 0.9, 200), mode="forward").linear
    arrays, tried = len(linear.work), []

    def without(self, buffer, kernels):
        tried.append(buffer.name)
        return original(self, buffer, kernels)

    original = elimination.Eliminator.without
    monkeypatch.setattr(elimination.Eliminator, "without", without)
    assert not eliminated(linear, detect(linear)).arrays
    assert arrays > most >= len(tried)


def test_the_search_makes_no_more_than_it_may_write(monkeypatch):
    def around_a_ring(x):  # each step reads three neighbours: after thirty, every coefficient is made of all others
        before = slope = x
        for _ in range(30):
            slope, before = np.roll(x, 1) - 2 * x + np.roll(x, -1) + x - x**3, slope
            x = x + 0.01 * (1.5 * slope - 0.5 * before)
        return x

    made = 0
    simple = Pool.simple

    def counted(pool, op, args):
        nonlocal made
        made += 1
        return simple(pool, op, args)

    lengths = []
    length = Counts.length
    monkeypatch.setattr(Counts, "length", lambda self, kernels: lengths.append(length(self, kernels)) or lengths[-1])
    monkeypatch.setattr(Pool, "simple", counted)
    x = np.linspace(0.2, 1.1, 60)
    jac = sad.jacobian(around_a_ring, x)
    assert made < 40_000  # they were six million, and a minute's work
    assert sum(operations > elimination.MOST_OPERATIONS for _, operations in lengths) <= 2  # where the two ways end
    np.testing.assert_allclose(jac(x).toarray(), by_complex_step(around_a_ring, x), rtol=1e-11, atol=1e-12)
