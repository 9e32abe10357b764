"""Machine code records what the methods in Python do, and leaves to them what it was not shown."""

from __future__ import annotations

import gc
import random
import sys
import threading
import weakref

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops  # (fills the tables that tracing reads)
from benchmarks.twins import TWINS
from sparsead.derivatives import recording
from sparsead.emit.entry import machine_code
from sparsead.tracing.array import TracedArray
from sparsead.tracing.loops import columns
from sparsead.tracing.loops.tape import Tape, new_tape
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


INDICES = ("i", "i", "-i", "i - 1", "-1", "0", "np.int64(i)", "(i,)", "len(x) - i")
LITERALS = (
    "2.0", "0.0", "-0.0", "1", "0", "-3", "True", "np.float64(2.0)", "np.float32(0.1)", "np.int32(2)", "10**19",
    "float('nan')", "np.inf", "0.1",
)  # fmt: skip
ARRAYS = ("x", "r", "s", "x[::-1]", "t[0]", "t.T[:, 1]")


def program(seed):
    """Return a function of some random statements on elements and numbers."""
    draw = random.Random(seed)

    def number(depth=0):
        if depth < 3 and draw.random() < 0.25:
            return f"({expression(depth + 1)})"
        element = f"{draw.choice(ARRAYS)}[{draw.choice(INDICES) if draw.random() < 0.6 else 1}]"
        return draw.choice([element, element, draw.choice(["y", "truth", "count"]), draw.choice(LITERALS)])

    def expression(depth=0):
        a, b = number(depth), number(depth)
        if draw.random() < 0.2:
            power = draw.choice(["2", "-1.0", "True", "count"])
            return draw.choice([f"-{a}", f"abs({a})", f"np.exp({a})", f"{a} ** {power}"])
        return f"{a} {draw.choice(['+', '-', '*', '/', '+', '-', '*', '/', '<', '==', '%'])} {b}"

    lines = [
        "def f(x):", " r = np.zeros(len(x)); s = r[::-1]; t = np.zeros((2, len(x)))", " y = x[0]; truth = y > 1",
        " count = truth + (x[1] > 1) + 1", " for _ in range(6):", "  for i in range(1, 4):"
    ]  # fmt: skip
    for _ in range(7):
        target = draw.choice(["y", "y", "r[i]", "s[i]", "r[-1]", "t[1, i]", "t[-1, -i]", "x[i - 1]"])
        lines.append(f"   {target} {draw.choice(['=', '=', '+=', '*='])} {expression()}")
    exec("\n".join([*lines, " return np.concatenate([r, t.ravel(), [y + 0.0]])"]), {"np": np}, found := {})
    return found["f"]


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


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_machine_code_records_what_python_does_in_random_programs(monkeypatch, seed):
    x, f = np.linspace(0.3, 2.9, 8), program(seed)
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


@pytest.mark.parametrize("fast", [False, True])
def test_threads_that_compute_with_numbers_of_one_trace_do_not_meet(fast, monkeypatch):
    recording.use(machine_code=fast)
    count, switching = 1200, sys.getswitchinterval()

    def f(x):
        y, r = [2.0 * x[i] for i in range(3)], [None] * (2 * count)

        def work(k):
            for j in range(count):  # literals of their own, and operations with three operands
                r[k * count + j] = y[k] * (2.0 + k * count + j) + np.where(y[k] > 1, y[k], y[k + 1])

        threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return r

    sys.setswitchinterval(1e-6)
    try:
        jacobian = sad.jacobian(f, np.ones(3), check=False)(np.ones(3))
    finally:
        sys.setswitchinterval(switching)
    row = np.arange(2 * count)
    expected = np.zeros((2 * count, 3))
    expected[row, row // count] = 2.0 * (row + 3.0)
    assert np.array_equal(jacobian.toarray(), expected)


@pytest.mark.parametrize("name", ["__neg__", "__add__", "__getitem__", "__setitem__"])
def test_objects_without_attributes_are_refused(name):
    recording.use(machine_code=True)
    kind, values = (TracedArray, [0, 1]) if "item" in name else (TracedScalar, [1])
    values = values[: {"__neg__": 0, "__setitem__": 2}.get(name, 1)]
    with pytest.raises(SystemError):
        getattr(object.__new__(kind), name)(*values)


def test_machine_code_is_kept_away_while_memory_moves():
    with new_tape() as tape:
        with tape._moving():
            assert not tape.words[columns.THREAD]
        assert tape.words[columns.THREAD] == threading.get_ident()
        with tape._moving():
            tape._grow()  # as another thread may do, or a finalizer
        assert not tape.words[columns.THREAD]


def test_more_records_than_numbers_of_32_bits_are_refused(monkeypatch):
    monkeypatch.setattr(columns, "MOST", 512)
    recording.use(machine_code=True)
    with pytest.raises(sad.UnsupportedOperationError, match=r"(?s)512 operations on single numbers.*broyden"):
        trace(TWINS[1].loop, (np.ones(300),))


def test_machine_code_that_several_threads_made_at_once_is_kept():
    functions = weakref.ref(machine_code.__wrapped__())
    gc.collect()
    assert functions() is not None  # CPython keeps pointers into it
