"""A child that is forked while other threads hold locks waits for none of them."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUTarget, cpu_target

import sparsead as sad
from coloring.cached import cached_property
from sparsead.forks import ProcessLock

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
X = np.linspace(0.1, 1.0, 7)
HELD = 0.3  # seconds that another thread holds a lock: long enough to fork meanwhile


def in_a_child(call):
    """Call something in a forked child; it must come to an end."""
    child = os.fork()
    if not child:
        os._exit(0 if call() else 1)
    end = time.monotonic() + 60.0
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the child was stuck")
        time.sleep(0.01)
    assert done[1] == 0


@pytest.fixture
def busy():
    """Let another thread be inside of something for a while; go on when it is."""
    threads = []

    def begin(lock):
        inside = threading.Event()

        def hold():
            with lock:
                inside.set()
                time.sleep(HELD)

        threads.append(threading.Thread(target=hold))
        threads[-1].start()
        assert inside.wait(60)

    yield begin
    for thread in threads:
        thread.join()


def prepared(factor):
    return sad.jacobian(lambda x: np.sin(x) * factor, X, backend="llvm")


def test_another_thread_is_in_llvm(busy):
    prepared(1.0)
    busy(llvm.ffi.lib._lock)
    in_a_child(lambda: prepared(17.25)(X).nnz == 7)  # nobody has compiled this


def test_another_thread_compiles_with_numba(busy):
    busy(global_compiler_lock)
    in_a_child(lambda: numba.njit(lambda x: x + 1)(2) == 3)


@pytest.mark.parametrize("context", ["_toplevel_typing_context", "_toplevel_target_context"])
def test_another_thread_makes_what_numba_compiles_with(busy, monkeypatch, context):
    monkeypatch.delitem(vars(cpu_target), context, raising=False)
    busy(getattr(CPUTarget, context)._lock)
    in_a_child(lambda: numba.njit(lambda x: x + 1)(2) == 3)


def test_another_thread_compiles_the_same_sweep(busy):
    sweep = next(iter(prepared(2.0)._assembly.sweeps()))
    busy(sweep._lock.held())
    in_a_child(lambda: bool(sweep.compile()))


def test_another_thread_prepares_what_was_unpickled(busy):
    from sparsead.keeping import pickling

    busy(pickling._lock.held())
    in_a_child(lambda: not hasattr(prepared(3.0), "nothing"))


class Slow:
    """A property takes its time."""

    @cached_property
    def value(self):
        time.sleep(HELD)
        return object()


def test_another_thread_computes_the_property_of_another_object():
    one, other = Slow(), Slow()
    thread = threading.Thread(target=lambda: one.value)
    thread.start()
    time.sleep(HELD / 10)
    in_a_child(lambda: other.value is other.value)
    thread.join()


def test_threads_that_compute_a_property_at_once_get_one_value():
    slow, found = Slow(), []
    threads = [threading.Thread(target=lambda: found.append(slow.value)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_process_lock_is_reentrant_and_excludes_others(busy):
    lock = ProcessLock()
    busy(lock.held())
    start = time.monotonic()
    with lock.held(), lock.held():
        assert time.monotonic() > start + HELD / 2
    in_a_child(functools.partial(holds, lock))


def holds(lock):
    with lock.held():
        return True
