"""Which states a backward walk through a loop keeps, where there is no room for all: the binomial schedule.

Griewank & Walther, Algorithm 799 (2000): with s kept states and no step done more than r times, binomial(s + r, s)
steps can be walked backward; the schedule below does as few steps forward as any can.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple


class Advance(NamedTuple):
    """Go forward from a kept state to another one, and keep that: ``slot`` is where."""

    start: int
    end: int
    slot: int


class Back(NamedTuple):
    """Walk one stretch backward, from the kept state at its beginning: in ``slot``."""

    start: int
    slot: int


def binomial(stretches: int, slots: int) -> Iterator[Advance | Back]:
    """Yield what to do to walk through stretches backward, the last first.

    The state at the beginning is in slot 0. Slot 1 to ``slots - 1`` are free at first.
    """
    pending: list[tuple[int, int, int] | Back] = [(0, stretches, 0)]
    while pending:
        task = pending.pop()
        if isinstance(task, Back):
            yield task
            continue
        start, end, slot = task
        if end - start == 1:
            yield Back(start, slot)
        elif slot == slots - 1:  # no slot is left: each step is reached again from the last checkpoint
            pending += [Back(k, slot) for k in range(start, end)]
        else:
            middle = start + _ahead(end - start, slots - slot)
            yield Advance(start, middle, slot + 1)
            pending += [(start, middle, slot), (middle, end, slot + 1)]


def _ahead(steps: int, slots: int) -> int:
    """Return how far to go before the next state is kept."""
    times = 0
    while math.comb(slots + times, slots) < steps:
        times += 1
    # as far as the first part needs no more repetitions than allowed, and the second uses up what it may
    return max(1, min(math.comb(slots + times - 1, slots), steps - math.comb(slots + times - 2, slots - 1)))
