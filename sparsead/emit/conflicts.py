"""What the points of a loop do to elements of other points: who stores to the same ones, and who reads these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsead.emit.accesses import Access, Accesses


def contested(found: Sequence[Access], waiting: np.ndarray | None) -> list[Access] | None:
    """Return what stores to elements that several points write, or that terms wait for; and what shares with these.

    None where a point reads an element that another one writes: the loop has to run in order.

    Parameters
    ----------
    found : sequence of Access
        What a loop does to one array.
    waiting : ndarray, optional
        As a mask: the elements that terms of earlier loops wait for.
    """
    stores = [a for a in found if a.kind != "read"]
    if waiting is None and len(stores) == len(found) and _alone(stores):
        return []
    size = max((int(a.slot.max()) + 1 for a in found), default=0)
    writer, met = np.full(size, -1), np.zeros(size, np.bool_)
    if waiting is not None:
        met[: waiting[:size].size] = waiting[:size]
    for a in stores:
        writer[a.slot] = a.point
    for a in stores:
        met[a.slot[writer[a.slot] != a.point]] = True
    chosen: list[Access] = []
    while more := [a for a in stores if a not in chosen and met[a.slot].any()]:
        chosen += more
        for a in more:
            met[a.slot] = True
    for a in found:
        if a.kind == "read" and (met[a.slot] | ((writer[a.slot] >= 0) & (writer[a.slot] != a.point))).any():
            return None
    return chosen


def _alone(stores: Sequence[Access]) -> bool:
    """Tell whether no element is stored to twice; False where that takes a closer look."""
    taken = np.zeros(max((int(a.slot.max()) + 1 for a in stores), default=0), np.bool_)
    for a in stores:
        if taken[a.slot].any() or (a.slot[1:] <= a.slot[:-1]).any():
            return False
        taken[a.slot] = True
    return True


def touched_by(found: Sequence[Access]) -> np.ndarray:
    """Return, as a mask, the elements that are read or stored to."""
    mask = np.zeros(max((int(a.slot.max()) + 1 for a in found), default=0), np.bool_)
    for a in found:
        mask[a.slot] = True
    return mask


def require_private(accesses: Accesses, found: Sequence[Access], name: str) -> None:
    """Make sure that each point reads of a scratch array what it has stored there itself."""
    if not any(a.kind == "read" for a in found):
        return
    point, slot = (np.concatenate([getattr(a, what) for a in found]) for what in ("point", "slot"))
    order = np.lexsort((accesses.times(found), slot, point))
    store, read = (
        np.concatenate([np.full(a.slot.size, a.kind == kind) for a in found])[order] for kind in ("store", "read")
    )
    place = np.arange(order.size)
    first = np.append(True, (np.diff(point[order]) != 0) | (np.diff(slot[order]) != 0))
    begin, last_store = (np.maximum.accumulate(np.where(marked, place, -1)) for marked in (first, store))
    if (last_store < begin)[read].any():
        raise AssertionError(f"a point of {name} reads scratch memory that it has not set")
