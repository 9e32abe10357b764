"""Machine code records what the methods in Python do, and leaves to them what it was not shown."""

from __future__ import annotations

import gc
import sys
import threading

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops  # (fills the tables that tracing reads)
from benchmarks.twins import TWINS
from sparsead.derivatives import recording
from sparsead.emit.entry import machine_code
from sparsead.tracing.loops import columns
from sparsead.tracing.loops.tape import Tape
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.storage import Storage
from sparsead.tracing.trace import trace

pytestmark = pytest.mark.skipif(machine_code() is None, reason="this Python has no such machine code")


@pytest.fixture(autouse=True)
def _as_before():
    runs = columns.machine.runs
    yield
    recording.use(machine_code=runs)


def recorded(monkeypatch, f, x, fast):
    """Return all that a trace recorded, or the words of its error."""
    tapes = []

    class Kept(Tape):
        def __init__(self):
            super().__init__()
            tapes.append(self)

    monkeypatch.setattr("sparsead.tracing.loops.tape.Tape", Kept)
    recording.use(machine_code=fast)
    outcome = ""
    try:
        trace(f, (x,))
    except Exception as error:  # whatever it is, it is the same
        outcome = f"{type(error).__name__}: {error}"
    tape = tapes[0]
    kinds = [(s.boolean, s.integer, s.terms, s.origin) for s in tape.signatures]
    held = [column[: len(tape)] for column in (tape.signature, tape.a, tape.b)]
    return outcome, held, list(map(repr, tape.literals)), tape.third, kinds


def kinds_of_numbers(x):
    r, weights = np.zeros(2 * len(x)), np.linspace(0.5, 1.5, 3)
    for i in range(len(x)):
        big = x[i] > 1
        count = big + (x[i - 1] >= 2.5) + 1
        r[i] = big * x[i] ** 2 + 2 * count - x[i] ** True + True * x[i] + (-0.0 - x[i]) + 0.0 * x[i] + 10**30 * x[i]
        r[i] += (
            weights[i % 3] * x[-i]
            - abs(-x[i]) / 3
            + count**2
            + 2.0**count
            + np.float64(0.25) ** x[i]
            + (count != 2) * r[i]
        )
        r[len(x) + i] = (
            np.where(big, 1.0, r[i]) + (x[i] == x[0]) + (x[i] >= 3) + np.float32(0.1) * x[i] + (1.0 - r[i]) / r[i]
        )
    return r


def places(x):
    a = x.reshape(4, -1)
    r, columns_of = np.zeros((4, a.shape[1])), a[::-1].T
    wide = np.broadcast_to(x[:3], (2, 3))
    for i in range(4):
        for j in range(a.shape[1]):
            r[i, j] = a[i, j] + columns_of[j, -i] - a[-1, np.int64(j)] * wide[1, j % 3]
            r.T[j, i] *= a[True, j % 2, 0] if False else a[i, j]
        x[3 * i] = r[i, 0] + 1  # memory that was written to
        a = a + i
    return r.ravel() + x


def long_sums(x):
    s = 0.0
    for i in range(len(x)):
        s = s - x[i] * 2.0 + x[i] / 7 - 1
    y = x[0]
    for i in range(1, len(x)):
        y = 0.5 * y + x[i]
    return [s, y]


def wrong_index(index):
    def f(x):
        r = np.zeros(3)
        for i in (0, 1, 1, 1):
            r[i] = x[i] + x[i]
        r[1] = x[index]
        return r

    return f


def wrong_place(index):
    def f(x):
        r = np.zeros(3)
        for i in (0, 1, 1, 1):
            r[i] = x[i] + x[i]
        r[index] = x[1]
        return r

    return f


def into_read_only(x):
    r = np.zeros(3)
    for i in (0, 1, 1):
        r[i] = x[i] * 2.0
    r.flags.writeable = False
    r[1] = x[1]
    return r


class Odd(np.ndarray):
    def __array_finalize__(self, other):
        self.storage = 3


def of_an_odd_class(x):
    y = x.view(Odd)
    return y[0] + y[1]


def into_integers(x):
    r = np.zeros(3, int)
    r[1] = x[1]
    return r


def without_value(x):
    x[0] = x[1]
    with pytest.raises(TypeError):
        x.__setitem__(1)
    return x


def by_a_branch(x):
    for i in (0, 1, 2):
        y = x[i] + 1.0 > x[1]
    return x if y else 2.0 * x


FUNCTIONS = [
    *(twins.loop for twins in TWINS), kinds_of_numbers, places, long_sums, of_an_odd_class,
    into_read_only, into_integers, without_value,
    by_a_branch, *(make(index) for make in (wrong_index, wrong_place) for index in (
        16, -17, 10**30, True, 1.0, (), (1, 1), "1", None, np.int64(1), -1
    )),
]  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__qualname__)
def test_machine_code_records_what_python_does(monkeypatch, f):
    x = np.linspace(0.3, 2.9, 16)
    expected = recorded(monkeypatch, f, x, fast=False)
    assert recorded(monkeypatch, f, x, fast=True) == expected


@pytest.mark.parametrize("f", [kinds_of_numbers, places, long_sums], ids=lambda f: f.__name__)
def test_matrices_are_the_same_to_the_bit(f):
    x, matrices = np.linspace(0.3, 2.9, 16), []
    for fast in (False, True):
        recording.use(machine_code=fast)
        matrices.append(sad.jacobian(f, x)(x).toarray())
    assert np.array_equal(*matrices)


def test_machine_code_does_most_of_it(monkeypatch):
    read, element = [], Storage.element
    monkeypatch.setattr(Storage, "element", lambda storage, place: (read.append(place), element(storage, place))[1])
    recording.use(machine_code=True)
    trace(TWINS[1].loop, (np.linspace(0.3, 2.9, 500),))
    assert 0 < len(read) < 20


def test_nothing_is_kept_that_was_recorded():
    recording.use(machine_code=True)
    x, blocks = np.linspace(0.3, 2.9, 400), []
    for _ in range(6):
        trace(TWINS[1].loop, (x,))
        gc.collect()
        blocks.append((sys.getallocatedblocks(), sys.getrefcount(None), sys.getrefcount(TracedScalar)))
    for first, last in zip(blocks[2], blocks[5], strict=True):
        assert abs(last - first) < 200  # of some 15,000 records each


def test_elements_are_recorded_by_the_thread_that_traces():
    recording.use(machine_code=True)
    kept = []

    def f(x):
        y = [x[i] * 2.0 for i in range(3)]
        thread = threading.Thread(target=lambda: kept.append(x[1].tape))
        thread.start()
        thread.join()
        assert kept.pop() is not y[0].tape
        return y

    trace(f, (np.ones(3),))
