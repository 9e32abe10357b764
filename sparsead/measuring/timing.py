"""Times of calls that are compared with each other: run in turn, so that all meet the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np


class Times(dict[str, np.ndarray]):
    """Seconds of every run, by name; run k of all names happened in the same round."""

    def median(self, name: str) -> float:
        """Seconds of a typical run."""
        return float(np.median(self[name]))

    def ratio(self, name: str, to: str) -> float:
        """How many times as long as `to` it takes: the median over the rounds."""
        return float(np.median(self[name] / self[to]))


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    seconds: float = 2.0,
    at_least: int = 5,
    at_most: int = 300,
    clock: Callable[[], float] = time.perf_counter,
    each: float = 0.0,
) -> Times:
    """Run all calls in turn, round after round, and return their times.

    Parameters
    ----------
    calls : mapping of str to callable
        What to run, without arguments.
    seconds : float
        Rounds go on for about this long.
    at_least, at_most : int
        Limits on the number of rounds.
    clock : callable
        What tells the time: `time.process_time` leaves out the time that other processes took on a shared machine.
    each : float
        Shorter calls are repeated for about so many seconds in every round, and their mean counts: otherwise what they
        take depends on what ran before them and which caches it left cold.
    """
    repeats = [_repeats(call, clock, each) for call in calls.values()]
    rounds: list[list[float]] = []
    end = time.perf_counter() + seconds
    while len(rounds) < at_least or (len(rounds) < at_most and time.perf_counter() < end):
        rounds.append([_seconds(call, clock, k) for call, k in zip(calls.values(), repeats, strict=True)])
    return Times(zip(calls, np.array(rounds).T, strict=True))


def _repeats(call: Callable[[], object], clock: Callable[[], float], each: float) -> int:
    """Run a call twice, as the first run pays for page faults and caches; return how often it fits."""
    call()
    seconds = _seconds(call, clock) if each else 0.0
    return max(1, round(each / seconds)) if seconds else 1


def _seconds(call: Callable[[], object], clock: Callable[[], float], repeats: int = 1) -> float:
    start = clock()
    for _ in range(repeats):
        call()
    return (clock() - start) / repeats
