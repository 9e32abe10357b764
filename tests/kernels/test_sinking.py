"""Gathers sink below elementwise operations: the same numbers, each computed once."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.kernels import lower, sinking
from sparsead.kernels.sinking import ranked, sunk
from sparsead.program.nodes import Map, Sum
from sparsead.sweeps.direct import shifting
from sparsead.tracing.trace import trace
from tests.fuzz.programs import attempt

RNG = np.random.default_rng(7)
TABLE, POINTS = 20, 400
PICKED, OTHER = RNG.integers(TABLE, size=POINTS), RNG.integers(TABLE, size=POINTS)
SHARES = RNG.random(POINTS)
X = 0.5 + RNG.random(3 * TABLE + POINTS)


def rotations(x):
    """Points turned by vectors, of which each belongs to many points, written point by point."""
    vectors = x[: 3 * TABLE].reshape(TABLE, 3)[PICKED]
    angle = np.sqrt(np.sum(vectors**2, axis=1))
    axis = vectors / angle[:, None]
    points = np.stack([x[3 * TABLE :], SHARES, 1.0 - SHARES], axis=1)
    turned = np.cos(angle)[:, None] * points + np.sin(angle)[:, None] * np.cross(axis, points)
    along = (1.0 - np.cos(angle)) * np.sum(points * axis, axis=1)
    return turned + along[:, None] * axis


def two_ends(x):
    """The same function of two ends of an edge, which may be one node, and of all nodes besides."""
    a, b = x[PICKED], x[OTHER]
    softened = np.cbrt(np.sin(a) ** 3 + 1e-18) - np.cbrt(np.sin(b) ** 3 + 1e-18)
    return np.concatenate([softened * SHARES, np.cbrt(np.sin(x[:TABLE]) ** 3 + 1e-18)])


def chosen(x):
    """A choice on what is picked, and a slope that is infinite on the other side of it."""
    angle = x[PICKED]
    safe = np.where(angle > 0.9, np.exp(np.sin(angle) * np.cos(angle)), 2.0)
    return np.cbrt(safe - 2.0) * SHARES + np.tanh(np.exp(angle))


def broadcast(x):
    rows, columns = np.broadcast_arrays(x[:TABLE, None], x[None, TABLE : 2 * TABLE])
    return np.exp(np.sin(rows) * np.cos(rows)) * np.log(1.0 + np.exp(columns))


def assembled(x):
    """Few different matrices, with entries that are set, read at many points."""
    picked = x[PICKED]
    turn = np.zeros((POINTS, 2, 2))
    turn[:, 0, 0] = turn[:, 1, 1] = np.cos(np.exp(picked))
    turn[:, 0, 1], turn[:, 1, 0] = -np.sin(np.exp(picked)), np.sin(np.exp(picked))
    return np.einsum("pij,pj->pi", turn, np.stack([SHARES, x[-POINTS:]], axis=1))


def summed(x):
    """Sums of unequally many terms of few kinds."""
    powers = np.exp(np.sin(x[PICKED]))
    total = np.zeros(POINTS // 4)
    np.add.at(total, np.arange(POINTS) // 4, powers * SHARES)
    return total**2


FUNCTIONS = [rotations, two_ends, chosen, broadcast, assembled, summed]


def complex_steps(f, x, step=1e-200):
    columns = [np.imag(np.ravel(f(x + 1j * step * unit))) / step for unit in np.eye(x.size)]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_values_are_the_same_to_the_bit_and_derivatives_to_rounding(f, mode, monkeypatch):
    x = X.copy()
    found = sad.jacobian(f, x, mode=mode)
    monkeypatch.setattr(lower, "sunk", lambda program: program)
    plain = sad.jacobian(f, x, mode=mode)
    assert np.array_equal(found.value(x), plain.value(x))
    assert found.pattern == plain.pattern
    expected = plain(x).toarray()
    np.testing.assert_allclose(found(x).toarray(), expected, rtol=1e-13, atol=1e-14 * np.abs(expected).max())


@pytest.mark.parametrize("f", [rotations, broadcast])
def test_derivatives_agree_with_complex_steps(f):
    expected = complex_steps(f, X)
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), expected, rtol=1e-12, atol=1e-13)


def test_what_depends_on_few_is_computed_for_few():
    kernels = sad.jacobian(rotations, X).kernels
    costly = [k for k in kernels.kernels if any(word in str(k) for word in ("sin", "cos", "sqrt"))]
    assert costly
    assert all(k.domain == (TABLE,) for k in costly)


def test_arrays_that_do_the_same_share_one():
    """So that what two ends of an edge have in common is seen where they are one node."""
    program = trace(two_ends, (X,))[0]
    new = [n for n in sunk(program).nodes if n not in program.nodes and isinstance(n, Map) and n.op.name == "sin"]
    assert [n.size for n in new] == [np.unique(np.concatenate([PICKED, OTHER, np.arange(TABLE)])).size]
    exact = sad.jacobian(two_ends, X)(np.where(np.arange(X.size) < TABLE, 1e-30, X)).toarray()
    same = np.flatnonzero(PICKED == OTHER)
    assert same.size
    assert np.array_equal(exact[same], np.zeros((same.size, X.size)))


def test_what_is_not_repeated_stays_as_it_is():
    program = trace(lambda x: np.exp(np.sin(x[1:])) - np.exp(np.sin(x[:-1])), (X,))[0]
    assert sunk(program) is program
    cheap = trace(lambda x: x[PICKED] * 2.0 + SHARES, (X,))[0]
    assert sunk(cheap) is cheap


def test_sums_keep_the_order_of_their_terms():
    program = sunk(trace(rotations, (X,))[0])
    program.check()
    assert any(isinstance(n, Sum) and n.size < POINTS for n in program.nodes)


def test_rows_are_ranked_in_lexicographic_order():
    table = RNG.integers(-1, 5, size=(3, 200))
    different, first, rank = np.unique(table, axis=1, return_index=True, return_inverse=True)
    found = ranked(list(table), 200)
    assert found is not None
    assert np.array_equal(found[0], rank.reshape(-1))
    assert np.array_equal(found[1], first)
    assert ranked(list(table), different.shape[1] - 1) is None


@pytest.mark.parametrize("f", FUNCTIONS)
def test_hessians_of_what_is_gathered(f):
    def energy(x):
        return np.sum(np.cos(f(x)))

    hess = sad.hessian(energy, X)
    slope = sad.gradient(energy, X)
    step = 1e-6
    v = RNG.standard_normal(X.size)
    difference = (slope(X + step * v) - slope(X - step * v)) / (2 * step)
    scale = np.abs(difference).max()
    np.testing.assert_allclose(hess(X) @ v, difference, rtol=1e-6, atol=1e-7 * scale)


@pytest.mark.parametrize("again", [2, 1])
def test_random_programs_in_which_all_gathers_sink(again, monkeypatch):
    changed = []

    def counted(program):
        new = sunk(program)
        changed.append(new is not program)
        return new

    monkeypatch.setattr(sinking, "LEAST", 1)
    monkeypatch.setattr(sinking, "AGAIN", again)
    monkeypatch.setattr(sinking, "worth_storing", lambda cost, times: cost >= 1.0)
    monkeypatch.setattr(shifting, "MANY_POINTS", 4)
    monkeypatch.setattr(lower, "sunk", counted)
    for seed in range(100 * again, 100 * again + 8):
        attempt(seed)
    assert sum(changed) >= 3
