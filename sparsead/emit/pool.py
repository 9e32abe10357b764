"""A pool of threads that run shares of one loop. Machine code runs without Python's lock.

The pool is made when it is first needed and kept. A forked child starts without one: threads do not survive a fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

VARIABLE = "SPARSEAD_THREADS"
MOST_THREADS = 64  # threads of the pool; it starts only as many as have work


class _Pool:
    """The pool of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.executor: ThreadPoolExecutor | None = None

    def submit(self, task: Callable[[], None]) -> Future[None] | None:
        """Start a task in another thread; None where no thread can be had."""
        with self.lock:
            if self.executor is None:
                self.executor = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="sparsead")
        try:
            return self.executor.submit(task)
        except RuntimeError:  # the interpreter is shutting down
            return None


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]


def default_threads() -> int:
    """Return how many threads share a large loop unless the user says so: 1, or what `SPARSEAD_THREADS` says."""
    given = os.environ.get(VARIABLE, "")
    return min(int(given), MOST_THREADS) if given.isdecimal() and int(given) > 0 else 1


def run_all(tasks: Sequence[Callable[[], None]]) -> None:
    """Run tasks at the same time, the first in this thread, and return when all are done.

    Whatever is raised here, nothing runs on behind the caller's back: the tasks write to the caller's arrays.
    """
    started = [(task, _pool.submit(task)) for task in tasks[1:]]
    try:
        tasks[0]()
        for task, future in started:
            if future is None:
                task()
    finally:
        _wait([future for _, future in started if future is not None])


def _wait(futures: list[Future[None]]) -> None:
    """Wait for all, through interrupts; then raise what came up."""
    raised: BaseException | None = None
    for future in futures:
        while not future.done():
            try:
                future.exception()
            except BaseException as error:  # an interrupt from the keyboard: shares take milliseconds, finish first
                raised = error
        raised = raised or future.exception()
    if raised is not None:
        raise raised
