"""Which additions come first at their entries: they can be stores, and the entries need no initial value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sparsead.kernels.linear import Term
from sparsead.program.index import NUMBER, IndexArray
from sparsead.sweeps.direct.loops import Loop
from sparsead.sweeps.direct.placement import Placed, Placement
from sparsead.sweeps.direct.target_entries import TargetEntries


def store_firsts(loops: list[Loop], placement: Placement) -> np.ndarray:
    """Let coefficients be stored that come first at every entry they go to, in the order in which `loops` run.

    Parameters
    ----------
    loops : list of Loop
        All loops; their entries are replaced.
    placement : Placement
        What happens to the values that the entries go to.

    Returns
    -------
    ndarray of bool, shape (nnz,)
        True for the entries that still need an initial value.
    """
    needed = placement.shared.copy()
    if placement.layered or not needed.any():
        return needed
    first = _first_times(loops, placement)
    for start, loop in zip(_starts(loops), loops, strict=True):
        for number, entry in enumerate(loop.entries):
            if entry.target == placement.target and entry.adds:
                at = TargetEntries(entry.slot)
                if (at.of_all(first) == _times(start, loop, number, first.dtype)).all():
                    at.write(needed, False)
                    loop.entries[number] = _stored(entry, placement.base)
    return needed


def _starts(loops: list[Loop]) -> list[int]:
    """Return the time at which each loop starts, counted in statements."""
    return np.cumsum([0, *(loop.points * len(loop.entries) for loop in loops[:-1])]).tolist() if loops else []


def _times(start: int, loop: Loop, number: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Return when statement `number` of a loop runs at each of its points."""
    first, step = start + number, len(loop.entries)
    return np.arange(first, first + step * loop.points, step, dtype=dtype).reshape(loop.domain)


def _first_times(loops: list[Loop], placement: Placement) -> np.ndarray:
    """Return when something is added to each entry for the first time."""
    never = sum(loop.points * len(loop.entries) for loop in loops)
    first = np.full(placement.base.size, never, dtype=np.min_scalar_type(never))
    for start, loop in zip(_starts(loops), loops, strict=True):
        for number, entry in enumerate(loop.entries):
            if entry.target == placement.target and entry.adds:
                TargetEntries(entry.slot).lower(first, _times(start, loop, number, first.dtype))
    return first


def _stored(entry: Placed, base: np.ndarray) -> Placed:
    constants = np.array(TargetEntries(entry.slot).of_all(base))
    return replace(entry, adds=False, base=constants if constants.any() else None)


def store_first_rows(
    loops: list[Loop],
    placement: Placement,
    landing: Callable[[Loop, Term], IndexArray | None],
    by_entries: Callable[[Loop], bool],
) -> tuple[np.ndarray, set[int]]:
    """Let coefficients and multiples of rows be stored where nothing has been added before, in that loop or others.

    Parameters
    ----------
    loops : list of Loop
        All loops; their entries are replaced.
    placement : Placement
        What happens to the values that the entries go to: whole rows are added, too.
    landing : callable
        Returns where a multiple of a row goes, at all points; None where that is elsewhere.
    by_entries : callable
        Tells whether a loop adds up what comes to an entry before it goes on to the next one.

    Returns
    -------
    needed : ndarray of bool, shape (nnz,)
        True for the entries that still need an initial value.
    stored : set of int
        The identities of the terms whose multiples of rows are stored.
    """
    needed = np.ones(placement.base.size, dtype=np.bool_)
    untouched, times = placement.base == 0.0, np.zeros(placement.base.size, NUMBER)
    stored: set[int] = set()
    for loop in loops:
        entries = {k: TargetEntries(e.slot).at for k, e in enumerate(loop.entries) if e.target == placement.target}
        rows = {id(term): at for term in loop.rows if (at := landing(loop, term)) is not None}
        every = [at.reshape(-1) for at in (*entries.values(), *rows.values())]
        for at in every:
            np.add.at(times, at, 1)

        most = every[0].size if every and by_entries(loop) else 1  # what may come to an entry

        def is_first(at: IndexArray, free: bool = not loop.ordered, most: int = most) -> bool:
            return free and bool((untouched[at] & (times[at] <= most)).all())

        for k, at in entries.items():
            if is_first(at):
                needed[at] = False
                loop.entries[k] = replace(loop.entries[k], adds=False)
        for term, at in rows.items():
            if is_first(at):
                needed[at] = False
                stored.add(term)
        for at in every:
            untouched[at], times[at] = False, 0
    return needed, stored
