"""Loops of few points beside others of many, cut by what they store.

At a corner of a domain one point stores the entries of several rows, and its one thread would still be on its way when
all others have ended. Each part of such a loop stores a few neighbours, and computes what it needs for these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import numpy as np

from sparsead.emit.accesses import Access, Accesses
from sparsead.emit.parsing import walk

TIMES = 16  # a loop has few points if another one of its function has more than so many times as many
MOST_STORES = 8  # stores of one part


def parts(loop: ast.For, accesses: Accesses) -> list[ast.For]:
    """Return the parts of a loop; the loop itself, if it cannot be cut or needs not be."""
    stores = accesses.found
    if len(stores) <= MOST_STORES or not _may_be_cut(loop, stores):
        return [loop]
    chosen: list[list[Access]] = [[]]
    for run in _runs(stores):
        if len(chosen[-1]) + len(run) > MOST_STORES:
            chosen.append([])
        chosen[-1] += run
    return [_only(loop, {id(a.statement) for a in part}) for part in chosen if part]


def _may_be_cut(loop: ast.For, stores: Sequence[Access]) -> bool:
    """Tell whether each statement sets a name once, or stores to elements that no other comes to, and reads none."""
    if not all(isinstance(s, ast.Assign) for s in loop.body) or any(a.kind != "store" for a in stores):
        return False
    names = [s.targets[0].id for s in loop.body if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)]
    if len(set(names)) < len(names):
        return False
    by_array = {a.array: [other.slot for other in stores if other.array == a.array] for a in stores}
    return all(np.bincount(np.concatenate(slots)).max() == 1 for slots in by_array.values())


def _runs(stores: Sequence[Access]) -> Iterator[list[Access]]:
    """Yield stores to neighbouring elements, of some point in the middle; no more of them than fit into a part."""
    middle = sorted(stores, key=lambda a: (a.array, int(a.slot[a.slot.size // 2])))
    run: list[Access] = []
    for a in middle:
        if run and (len(run) == MOST_STORES or not _follows(run[-1], a)):
            yield run
            run = []
        run.append(a)
    yield run


def _follows(first: Access, second: Access) -> bool:
    at = first.slot.size // 2
    return first.array == second.array and int(second.slot[at]) == int(first.slot[at]) + 1


def _only(loop: ast.For, kept: set[int]) -> ast.For:
    """Return the loop with some of its stores, and what these need."""
    needed: set[str] = set()
    body: list[ast.stmt] = []
    for statement in reversed(loop.body):
        assert isinstance(statement, ast.Assign)
        target = statement.targets[0]
        if id(statement) in kept or (isinstance(target, ast.Name) and target.id in needed):
            needed |= {node.id for node in walk(statement) if isinstance(node, ast.Name)}
            body.append(statement)
    return ast.copy_location(ast.For(loop.target, loop.iter, body[::-1], []), loop)
