"""Ctrl-C while something must be done whole: kept, delivered at the end, and never in the way of what was there."""

from __future__ import annotations

import signal
import threading
from functools import partial

import numpy as np
import pytest

import coloring
from coloring.interrupts import deferred, uninterrupted
from coloring.kernels.kernel import INTERPRETED, Kernel


@pytest.fixture(autouse=True)
def handler_stays():
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_interrupt_comes_at_the_end():
    done = []

    def run():
        with deferred():
            interrupt()
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == ["whole"]


def test_interrupt_comes_at_once_where_it_is_allowed():
    done = []

    def run():
        with deferred() as interrupts:
            done.append("before")
            try:
                with interrupts.allowed():
                    interrupt()
                    done.append("never")
            finally:
                interrupt()
                done.append("after")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == ["before", "after"]


def test_kept_interrupt_comes_before_the_part_that_allows_it():
    done = []

    def run():
        with deferred() as interrupts:
            interrupt()
            with interrupts.allowed():
                done.append("never")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert not done


def test_nested_blocks():
    done = []

    def run():
        with deferred():
            with deferred():
                interrupt()
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == ["inner", "outer"]


def test_errors_pass():
    with pytest.raises(ValueError, match="mine"), deferred():
        raise ValueError("mine")


def test_other_threads_change_nothing():
    before, seen = signal.getsignal(signal.SIGINT), []

    def run():
        with deferred() as interrupts, interrupts.allowed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_handlers_of_the_user_are_kept(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with deferred():
            interrupt()
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_function_runs_to_its_end():
    done = []

    @uninterrupted
    def call(word):
        interrupt()
        done.append(word)

    with pytest.raises(KeyboardInterrupt):
        call("whole")
    assert done == ["whole"]


def test_kernels_are_not_interrupted_and_colorings_are():
    """What calls a compiled kernel bears no exception in between; between two kernels there is room for one."""

    @partial(Kernel, work=lambda *_: INTERPRETED + 1)
    def interrupted():
        interrupt()
        done.append("whole")

    done = []
    interrupted.__dict__["compiled"] = interrupted.function  # numba takes no signals
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["whole"]

    def order(problem):
        interrupt()
        return np.arange(5)

    with pytest.raises(KeyboardInterrupt):
        coloring.color(np.eye(5), order=order)
    assert coloring.color(np.eye(5)).num_colors == 1
