"""Shares of one piece of work, by several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def in_shares(task: Callable[[int], None], number: int, threads: int) -> None:
    """Call ``task(0), ..., task(number - 1)``, as many at a time as there are threads; return when all are done.

    The threads end with the call: a process that is forked later has none of them, and nothing runs on behind an
    interrupt.  They run at the same time inside compiled kernels, which release Python's lock.

    Examples
    --------
    >>> squares = [0] * 3
    >>> def square(k):
    ...     squares[k] = k**2
    >>> in_shares(square, 3, threads=2)
    >>> squares
    [0, 1, 4]
    """
    if threads == 1 or number == 1:
        for k in range(number):
            task(k)
        return
    with ThreadPoolExecutor(min(threads, number), thread_name_prefix="coloring") as pool:
        for _ in pool.map(task, range(number)):
            pass
