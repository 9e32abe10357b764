"""Laws of accumulation: what a loop adds to an array is one sum, with the values of NumPy; nothing else is."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.program import stacking
from sparsead.program.evaluate import run
from sparsead.program.nodes import Sum
from sparsead.program.stacking import stacked
from sparsead.tracing.loops import grouping
from sparsead.tracing.trace import trace
from tests.reference import assert_close, complex_step, differences

RNG = np.random.default_rng(5)
PAIRS = np.array([RNG.choice(8, 2, replace=False) for _ in range(40)]).tolist()
U = RNG.uniform(0.1, 0.9, 24)


def stretch(u, i, j):
    v = u[3 * j : 3 * j + 3] - u[3 * i : 3 * i + 3]
    return v * (np.sum(v * v) - 1.0)  # a product of BLAS rounds otherwise


def places(i, j):
    return [3 * i, 3 * i + 1, 3 * i + 2, 3 * j, 3 * j + 1, 3 * j + 2]


def bars(u, start=0.0):
    f = np.full(24, start, u.dtype)
    for i, j in PAIRS:
        s = stretch(u, i, j)
        f[places(i, j)] += np.concatenate([-s, s])
    return f


def started(u):
    return bars(u, 0.7)


def bodies(u):
    f = np.zeros((8, 3), u.dtype)
    for i, j in PAIRS:
        s = stretch(u, i, j)
        f[i] += s
        f[j] -= s
    return f


def at(u):
    f = np.ones(24, u.dtype)
    for i, j in PAIRS:
        np.add.at(f, places(i, j)[1:4], stretch(u, i, j))
    return f


def stiffness(u):
    k = np.zeros((24, 24), u.dtype)
    for i, j in PAIRS:
        s, d = stretch(u, i, j), places(i, j)[:3]
        k[np.ix_(d, d)] += np.outer(s, s)
    return k @ np.cos(np.arange(24))


def steps(u):
    """Forces of one step move what the next one reads."""
    for _ in range(2):
        f = np.zeros(24, u.dtype)
        for i, j in PAIRS[:20]:
            f[3 * i : 3 * i + 3] += stretch(u, i, j)
        u = u + 0.1 * f
    return u


FUNCTIONS = [bars, started, bodies, at, stiffness, steps]


def values(program, u):
    return run(program, {program.wrt.serial: u})


@pytest.mark.parametrize("f", FUNCTIONS)
def test_values_are_those_of_numpy_to_the_bit(f):
    program, _ = trace(f, (U,))
    short = stacked(program)
    short.check()
    before, after = len(program.nodes), len(short.nodes)
    assert after < before / 8
    np.testing.assert_array_equal(values(short, U), values(program, U))
    if f is not stiffness:  # the product is BLAS
        np.testing.assert_array_equal(values(short, U), f(U))


@pytest.mark.parametrize("f", FUNCTIONS)
def test_derivatives(f):
    jac = sad.jacobian(f, U)
    assert_close(jac(U).toarray(), complex_step(f, U), 1e-13)


def test_hessian():
    hess = sad.hessian(lambda u: np.sum(bodies(u) ** 2), U)
    assert_close(hess(U).toarray(), differences(hess.gradient, U), 1e-7)


def test_code_does_not_grow_with_the_turns():
    lengths = [len(stacked(trace(bars, (U,))[0]).nodes)]
    many = PAIRS[:]
    try:
        PAIRS.extend(many)
        lengths.append(len(stacked(trace(bars, (U,))[0]).nodes))
    finally:
        del PAIRS[len(many) :]
    assert lengths[0] == lengths[1]


def test_numbers_of_many_arrays_are_added_up(monkeypatch):
    """Each turn reads an array of its own, so there are as many steps as turns."""
    monkeypatch.setattr(grouping, "MOST_STEPS", 1)
    monkeypatch.setattr(grouping, "FEW_STEPS", 1)

    def f(u):
        total = 0.0
        for i, j in PAIRS:
            s = np.sum(stretch(u, i, j) ** 2) + 0.1
            total += 1.0 / s - 0.5 / s**2
        return total

    program, _ = trace(f, (U,))
    short = stacked(program)
    assert len(short.nodes) < len(program.nodes) / 8
    np.testing.assert_array_equal(values(short, U), values(program, U))
    assert_close(values(short, U), f(U), 1e-14)


def test_what_is_read_on_the_way_stays():
    """Every turn reads what it adds to for another reason, too."""

    def f(u):
        y = u * 1.0
        for i, j in PAIRS:
            y[3 * i : 3 * i + 3] += 0.1 * np.sin(y[3 * j : 3 * j + 3])
        return y

    short = stacked(trace(f, (U,))[0])
    assert not any(isinstance(node, Sum) for node in short.nodes)
    np.testing.assert_array_equal(values(short, U), f(U))


def added(z, place, v, y):
    z[place : place + 3] += v


def subtracted(z, place, v, y):
    z[place : place + 3] -= v
    z[:3] += v


def reversed_(z, place, v, y):
    z[place : place + 3] = v + z[place : place + 3]


def broadcast(z, place, v, y):
    z[place : place + 2] += v[0]


def read(z, place, v, y):
    z[place : place + 3] += v * z[1:4]


def read_in_part(z, place, v, y):
    part = z[place : place + 3]
    z[2:5] += v
    z[place : place + 3] += part[0] * v


def written(z, place, v, y):
    z[place : place + 2] = v[:2]


def by_numbers(z, place, v, y):
    z[place] += v[0] * v[1]
    z[place : place + 2] += v[1:]


def repeated(z, place, v, y):
    np.add.at(z, [place, 1, place], v)


def nested(z, place, v, y):
    total = np.zeros(3, v.dtype)
    for q in range(3):
        total += v * y[q]
    z[place : place + 3] += total


STARTS = [lambda u: np.zeros(9, u.dtype), lambda u: np.resize(u, 9) * 1.0, lambda u: u[0] - np.ones(9)]
KINDS = [added, subtracted, reversed_, broadcast, read, read_in_part, written, by_numbers, repeated, nested]


def random_loop(seed):
    random = Random(seed)
    kinds = [random.choice(KINDS) for _ in range(random.randint(1, 3))]
    turns = [
        (random.choice(kinds), random.randrange(6), random.randrange(5)) for _ in range(random.choice([4, 12, 24]))
    ]
    start = random.choice(
        [lambda u: np.zeros(9, u.dtype), lambda u: np.resize(u, 9) * 1.0, lambda u: u[0] - np.ones(9)]
    )

    def f(u):
        z = start(u)
        for kind, place, k in turns:
            kind(z, place, u[k : k + 3] * np.sin(u[k]), np.cos(u))
        return np.concatenate([z, z[2:4] ** 2])

    return f


@pytest.mark.parametrize("seed", range(60))
def test_random_loops(seed, monkeypatch):
    """With few nodes a group."""
    monkeypatch.setattr(stacking, "LEAST", 2 + seed % 4)
    f, u = random_loop(seed), U[:8]
    program, _ = trace(f, (u,))
    short = stacked(program)
    short.check()
    np.testing.assert_array_equal(values(short, u), values(program, u))
    assert_close(values(short, u), f(u), 1e-13)
    if seed % 6 == 0:
        assert_close(sad.jacobian(f, u, check=False)(u).toarray(), complex_step(f, u), 1e-12)
