"""The schedule does as few steps as any can: against dynamic programming."""

from __future__ import annotations

import functools

import pytest

from sparsead.sweeps.repeated.checkpoint_schedule import Advance, binomial


@functools.cache
def fewest(stretches, slots):
    if stretches == 1:
        return 0
    if slots == 1:
        return stretches * (stretches - 1) // 2
    return min(k + fewest(k, slots) + fewest(stretches - k, slots - 1) for k in range(1, stretches))


@pytest.mark.parametrize("slots", [1, 2, 3, 5])
@pytest.mark.parametrize("stretches", [1, 2, 3, 7, 24, 50])
def test_every_stretch_once_backward_at_the_least_cost(stretches, slots):
    kept, cost, order = {0: 0}, 0, []
    for task in binomial(stretches, slots):
        if isinstance(task, Advance):
            assert kept[task.slot - 1] == task.start and task.slot < slots
            kept[task.slot] = task.end
            cost += task.end - task.start
        else:
            order.append(task.start)
            cost += task.start - kept[task.slot]
            assert kept[task.slot] <= task.start
    assert order == list(range(stretches))[::-1]
    assert cost == fewest(stretches, slots)
