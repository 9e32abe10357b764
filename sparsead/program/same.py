"""Whether two programs compute the same, operation by operation: a step must not change from turn to turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparsead.program.nodes import Call, Constant, Join, Map, Node, Program, Ref, Scan, Sum, sources


def same(first: Program, second: Program, start: int) -> bool:
    """Tell whether two programs do the same with their own inputs, and with the same older nodes.

    Nodes older than `start` are equal only to themselves. Operations that are not traced are the same if they have the
    same name.
    """
    pairs: dict[int, Node] = {}
    for mine, other in zip(first.inputs, second.inputs, strict=False):
        if mine is not other and mine.serial >= start and other.serial >= start:
            pairs[mine.serial] = other
    pending: list[tuple[Node, Node]] = [(first.output.node, second.output.node)]
    if not _equal(first.output.index, second.output.index):
        return False
    while pending:
        a, b = pending.pop()
        if a is b:
            continue
        if a.serial in pairs:
            if pairs[a.serial] is not b:
                return False
            continue
        if a.serial < start or b.serial < start or not _alike(a, b):
            return False
        pairs[a.serial] = b
        pending += zip(sources(a), sources(b), strict=True)
    return True


def _alike(a: Node, b: Node) -> bool:
    """Tell whether two nodes do the same with what they read."""
    if type(a) is not type(b) or a.shape != b.shape or a.boolean != b.boolean or len(sources(a)) != len(sources(b)):
        return False
    match a, b:
        case Map(), Map() if a.op is not b.op:
            return False
        case Call(), Call() if a.operation.name != b.operation.name:
            return False
    return all(_equal(x, y) for x, y in zip(_arrays(a), _arrays(b), strict=True))


def _arrays(node: Node) -> Iterator[Any]:
    """Yield what a node reads, where, and what it holds."""
    match node:
        case Constant():
            yield node.value
        case Join():
            yield from (node.owner, node.offset)
        case Map() | Call():
            yield from _indices(node.args)
        case Sum():
            yield from (node.terms.index, node.place)
        case Scan():
            yield from _indices((node.start, *node.bodies))


def _indices(refs: tuple[Ref, ...]) -> Iterator[Any]:
    return (ref.index for ref in refs)


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a is b or (a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
