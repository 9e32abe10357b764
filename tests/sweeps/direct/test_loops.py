"""Loops of direct accumulation: cut without losing a point, stores only where nothing came before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsead as sad
from sparsead.emit.sweep import BACKENDS
from sparsead.kernels.indexmap import recognise
from sparsead.kernels.kernel import Buffer, Load
from sparsead.problems import PROBLEMS
from sparsead.program.scalar import Pool
from sparsead.sweeps.direct import loops, sweep
from sparsead.sweeps.direct.first_writes import store_firsts
from sparsead.sweeps.direct.loops import Loop, cut
from sparsead.sweeps.direct.placement import Placed, Placement


def loop_of(slots, adds=True):
    """Return a loop in which term k stores element p of buffer k at ``slots[k][p]``."""
    pool = Pool()
    entries = []
    for k, slot in enumerate(slots):
        everywhere = recognise(np.arange(slot.size).reshape(slot.shape))
        value = pool.leaf(Load(Buffer(f"v{k}", slot.size, "work"), everywhere))
        entries.append(Placed("data", value, recognise(slot), adds))
    return Loop(slots[0].shape, entries)


def run(some_loops, values, data):
    """Run loops as they are meant: point by point, statements in order."""
    for loop in some_loops:
        slots = [e.slot.array().reshape(-1) for e in loop.entries]
        reads = [e.coefficient.value.index.array().reshape(-1) for e in loop.entries]
        names = [int(e.coefficient.value.buffer.name[1:]) for e in loop.entries]
        for p in range(loop.points):
            for e, slot, read, name in zip(loop.entries, slots, reads, names, strict=True):
                added = values[name].reshape(-1)[read[p]]
                data[slot[p]] = data[slot[p]] + added if e.adds else added
    return data


def slots_of_a_grid(n, m):
    """Return where the rows of a discretised equation start, which are shorter at the boundary, and where they end."""
    length = np.full(n * m, 7)
    length[:m] = length[-m:] = 5
    length[::m] -= 1
    start = np.concatenate([[0], np.cumsum(length)])[:-1].reshape(n, m)
    return start, int(length.sum())


def test_a_loop_is_cut_where_slots_stop_being_regular():
    start, nnz = slots_of_a_grid(20, 30)
    whole = loop_of([start, start + 2, start + 3])
    inside, outside = cut(whole)
    assert all(e.slot.form == "affine" for e in inside.entries)
    assert inside.points == 18 * 29 and inside.points + outside.points == whole.points
    values = np.random.default_rng(0).normal(size=(3, 20, 30))
    np.testing.assert_array_equal(run([inside, outside], values, np.zeros(nnz)), run([whole], values, np.zeros(nnz)))


def test_irregular_loops_stay_whole():
    slots = np.random.default_rng(1).permutation(600).reshape(20, 30)
    assert [loop.points for loop in cut(loop_of([slots]))] == [600]
    assert [loop.points for loop in cut(loop_of([np.arange(600).reshape(20, 30)]))] == [600]


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
@settings(max_examples=50)
def test_what_comes_first_is_stored(seed, count):
    rng = np.random.default_rng(seed)
    nnz = 12
    made = []
    for _ in range(count):
        points = int(rng.integers(1, 9))
        affine = [int(rng.integers(0, nnz - points + 1)) + np.arange(points) for _ in range(2)]
        made.append(loop_of([affine[0], affine[1], rng.integers(0, nnz, points)]))
    values = rng.normal(size=(3, 12))
    expected = run(made, values, np.zeros(nnz))
    needed = store_firsts(made, Placement("data", {}, np.zeros(nnz), np.ones(nnz, np.bool_), layered=False))
    touched = np.zeros(nnz, dtype=bool)
    for loop in made:
        for e in loop.entries:
            touched[e.slot.array()] = True
    found = run(made, values, np.where(needed, 0.0, np.nan))
    np.testing.assert_allclose(found[touched], expected[touched], rtol=1e-13, atol=1e-15)
    assert needed[~touched].all()


def test_the_first_of_several_loops_stores():
    slots = np.arange(10)
    some = [loop_of([slots]), loop_of([slots])]
    needed = store_firsts(some, Placement("data", {}, np.zeros(10), np.ones(10, np.bool_), layered=False))
    assert not needed.any()
    assert [loop.entries[0].adds for loop in some] == [False, True]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("name", "size"), [("minimal-surface", 18), ("bratu", 7), ("brusselator", 18), ("rosenbrock", 300)]
)
def test_problems_with_everything_cut_and_fetched(name, size, backend, monkeypatch):
    monkeypatch.setattr(loops, "MANY_POINTS", 4)
    monkeypatch.setattr(loops, "LONG_AXIS", 2)
    monkeypatch.setattr(sweep, "LARGE", 1)
    problem = PROBLEMS[name](size)
    rng = np.random.default_rng(2)
    x = problem.x0 + 0.1 * rng.normal(size=problem.x0.shape)
    prepare, other = (sad.jacobian, "forward") if problem.derivative == "jacobian" else (sad.hessian, "star")
    matrix = prepare(problem.f, x, *problem.args, mode="direct", backend=backend)
    expected = prepare(problem.f, x, *problem.args, mode=other)(x, *problem.args)
    found = matrix(x, *problem.args)
    assert abs(found - expected).max() <= 1e-13 * abs(expected).max()
    found.data[:] = np.nan  # every entry must be rewritten
    assert abs(matrix(x, *problem.args, out=found) - expected).max() <= 1e-13 * abs(expected).max()
    if problem.derivative == "hessian":
        assert (found != found.T).nnz == 0
    if name in ("bratu", "brusselator"):  # far enough apart
        assert "prefetch(data" in matrix.source
