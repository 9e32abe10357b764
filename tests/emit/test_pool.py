"""The pool of threads: everything runs, nothing runs on after an error, forked children start afresh."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time

import pytest

from sparsead.emit import pool
from sparsead.emit.pool import default_threads, run_all


def test_runs_all_tasks_the_first_in_this_thread():
    threads = {}

    def task(k):
        threads[k] = threading.get_ident()

    run_all([lambda k=k: task(k) for k in range(5)])
    assert set(threads) == set(range(5))
    assert threads[0] == threading.get_ident()
    assert threading.get_ident() not in [threads[k] for k in range(1, 5)]


@pytest.mark.parametrize("failing", [0, 2])
def test_waits_for_all_when_one_fails(failing):
    done = []

    def task(k):
        if k == failing:
            raise KeyboardInterrupt
        time.sleep(0.05)
        done.append(k)

    with pytest.raises(KeyboardInterrupt):
        run_all([lambda k=k: task(k) for k in range(4)])
    assert sorted(done) == [k for k in range(4) if k != failing]


def test_an_interrupt_while_waiting_is_raised_when_all_are_done():
    import signal

    done = []

    def slow():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        done.append(1)

    with pytest.raises(KeyboardInterrupt):
        run_all([lambda: None, slow])
    assert done == [1]


def test_tasks_run_here_where_no_thread_can_be_had(monkeypatch):
    def refuse(*args):
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    run_all([lambda: None] * 2)  # makes the executor
    monkeypatch.setattr(pool._pool.executor, "submit", refuse)
    done = []
    run_all([lambda k=k: done.append(k) for k in range(3)])
    assert done == [0, 1, 2]


def _child(results):
    done = []
    run_all([lambda k=k: done.append(k) for k in range(3)])
    results.put(sorted(done))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_makes_its_own_pool():
    run_all([lambda: None] * 3)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_child, args=(results,))
    child.start()
    assert results.get(timeout=30) == [0, 1, 2]
    child.join(timeout=30)
    assert child.exitcode == 0


def test_default_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("SPARSEAD_THREADS", raising=False)
    assert default_threads() == 1
    for text, expected in (("3", 3), ("0", 1), ("many", 1), ("100000", pool.MOST_THREADS)):
        monkeypatch.setenv("SPARSEAD_THREADS", text)
        assert default_threads() == expected
