"""Stores that a block of threads writes out together: neighbours in memory by neighbouring threads.

What a point stores to an array is, for a row of a matrix, a stretch of neighbouring elements, in any order. Stored by
the thread of the point, the elements of one store lie a row apart, and each takes a transfer of its own. So the numbers
are put into memory that the block shares, with the place where the stretch of each point begins; when all threads have
done so, the stretches are written out one after the other, by all threads side by side.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsead.emit.accesses import Access
from sparsead.emit.parsing import parse, walk

MOST = 24  # numbers of a point that are shared: 24 kB for 128 threads, so that several blocks fit
FEWEST = 64  # points of a loop from which on staging is worth its barrier


@dataclass(frozen=True)
class Stretch:
    """A stretch of `size` neighbouring elements that each point stores to an array, by its name in the loop.

    Those of all points follow each other from the element `start` on; where they do not, it is None. They may be in the
    `order` of the points all the same: then there are none between those of a block if its first and last one are as
    far from each other as they would be.
    """

    array: str
    size: int
    start: int | None
    order: bool


def stage(loop: ast.For, found: Sequence[Access], points: int, room: int, number: int) -> list[Stretch]:
    """Let a loop put its stores to an array into shared memory, where they are stretches; return these.

    Parameters
    ----------
    loop : ast.For
        It is changed: it then takes the number of its thread in the block, ``thread``, and for each stretch the arrays
        ``stage0`` and ``near0``, ..
    found : sequence of Access
        All accesses of the loop to the array: each element is stored once, and read by its own point only.
    points, room, number : int
        The points of the loop, how many numbers of a point may be shared, how many stretches it has already.
    """
    stores = [a for a in found if a.kind == "store"]
    if points < FEWEST or any(len(a.path) > 1 or a.kind == "add" for a in found) or not stores:
        return []
    if any(a.kind == "read" and a.path > min(store.path for store in stores) for a in found):
        return []  # what is staged cannot be read
    stretches: list[Stretch] = []
    if np.bincount(np.concatenate([a.slot for a in stores])).max() > 1:
        return []  # the last of them counts
    for group in _groups(stores):
        if len(group) <= room and _named_once(loop, group):
            stretches.append(_put(loop, group, number + len(stretches)))
            room -= len(group)
    return stretches


def _groups(stores: Sequence[Access]) -> list[list[Access]]:
    """Return the stores that go to neighbouring elements, in some order at each point: two of them, or more."""
    slots = np.stack([a.slot for a in stores])
    middle = slots[:, slots.shape[1] // 2]
    order = np.argsort(middle)
    parts = np.split(order, np.flatnonzero(np.diff(middle[order]) != 1) + 1)
    return [[stores[k] for k in part] for part in parts if part.size > 1 and _neighbours(slots[part])]


def _neighbours(slots: np.ndarray) -> bool:
    """Tell whether the elements of every point are neighbours, in some order: mostly in that of the rows."""
    ranks = np.arange(len(slots))[:, None]
    others = np.sort(slots[:, (slots != slots[0] + ranks).any(axis=0)], axis=0)
    return bool((others == others[0] + ranks).all())


def _named_once(loop: ast.For, group: Sequence[Access]) -> bool:
    """Tell whether the names that these statements read are set once, so that they may run later."""
    targets = [target for node in walk(loop) if isinstance(node, ast.Assign) for target in node.targets]
    times = Counter(target.id for target in targets if isinstance(target, ast.Name))
    used = {node.id for a in group for node in walk(a.statement) if isinstance(node, ast.Name)}
    return all(times[name] < 2 for name in used)


def _put(loop: ast.For, group: Sequence[Access], number: int) -> Stretch:
    """Put statements into shared memory in place of the last of them.

    Where they keep their order at every point, it is known which of them comes first, and how far the others are.
    """
    statements = {id(a.statement) for a in group}
    own = [statement for statement in loop.body if id(statement) in statements]
    low, size = f"low{number}", len(own)
    pairs = {id(s): (ast.unparse(s.targets[0].slice), ast.unparse(s.value)) for s in own}  # type: ignore[attr-defined]
    slots = np.stack([a.slot for a in group])
    first = slots.min(axis=0)
    dense = bool((np.diff(first) == size).all())
    even = bool((slots - first == (slots - first)[:, :1]).all())
    ordered = [pairs[id(group[k].statement)] for k in np.argsort(slots[:, 0])]
    lines = []
    if not (dense and even):
        others = () if even else ordered[1:]
        lines = [f"{low} = {ordered[0][0]}", *(f"{low} = min({low}, {slot})" for slot, _ in others)]
    if not dense:
        lines.append(f"near{number}[thread] = {low} - {size} * thread")
    for rank, (slot, value) in enumerate(ordered):
        lines.append(f"stage{number}[{size} * thread + {rank if even else f'({slot} - {low})'}] = {value}")
    new = parse("\n".join(lines)).body
    loop.body = [one for s in loop.body for one in (new if s is own[-1] else [] if id(s) in statements else [s])]
    return Stretch(group[0].array, size, int(first[0]) if dense else None, bool((np.diff(first) >= size).all()))
