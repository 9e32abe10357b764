"""Readings of one array at many places, as operations of their own: what a turn of a loop reads there may be its row.

In ``s = step(s, u[k])`` every turn reads the same array elsewhere. With the reading as an operation, an array of one
piece, the turns are equal but for where these read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from sparsead.kernels.alike import Alike
from sparsead.program.index import NUMBER, IndexArray
from sparsead.program.moving import Places, moved, renewed
from sparsead.program.nodes import Call, Constant, Join, Map, Node, Ref, Sum, sources, whole

READERS = (Map, Sum, Join, Call)


def is_reading(node: Node) -> bool:
    """Tell whether a node is nothing but the reading of another one."""
    return isinstance(node, Join) and len(node.pieces) == 1 and _is_of_kind(node, node.pieces[0])


def apart(nodes: Sequence[Node], output: Ref, alike: Alike, least: int) -> tuple[list[Node], Ref]:
    """Return nodes, operands first, with the readings of what is read `least` times and elsewhere as nodes before."""
    often = _read_often(nodes, alike, least)
    if not often:
        return list(nodes), output
    found: list[Node] = []
    places: dict[int, Ref] = {}
    for node in nodes:
        reads = sources(node)
        if isinstance(node, READERS) and any(n.serial in often for n in reads):
            new, readings = _read_apart(node, often, places)
            found += readings
        elif any(n.serial in places for n in reads):
            new = node
        else:
            found.append(node)
            continue
        new = renewed(new, places).node
        found.append(new)
        places[node.serial] = whole(new)
    return found, moved(output, places)


def settled(nodes: Iterable[Node], places: Places) -> dict[int, Ref]:
    """Return what nodes become that read others in place of some: readings are part of what reads again."""
    found = dict(places)
    for node in nodes:
        if is_reading(node) or any(n.serial in found for n in sources(node)):
            found[node.serial] = renewed(node, found)
    return found


def _is_of_kind(node: Node, other: Node) -> bool:
    return (node.boolean, node.integer) == (other.boolean, other.integer)


def _read_often(nodes: Sequence[Node], alike: Alike, least: int) -> set[int]:
    """Return the serial numbers of the arrays that are read at many places: each may be read twice."""
    read: dict[int, list[IndexArray]] = defaultdict(list)
    for node in nodes:
        for ref in node.operands if isinstance(node, READERS) else ():
            if not isinstance(ref.node, Constant):
                read[ref.node.serial].append(ref.index)
    often = {serial: indices for serial, indices in read.items() if len(indices) >= least}
    return {serial for serial, indices in often.items() if 2 * len({alike.index(i) for i in indices}) >= least}


def _read_apart(node: Node, often: set[int], places: Places) -> tuple[Node, list[Node]]:
    """Return a node that reads through readings, and these."""
    readings: list[Node] = []

    def through(ref: Ref) -> Ref:
        if ref.node.serial not in often:
            return ref
        readings.append(_reading(moved(ref, places)))
        return whole(readings[-1])

    match node:
        case Sum():
            return replace(node, terms=through(node.terms), memo={}), readings
        case Join():
            refs = [through(ref) for ref in node.operands]
            offset = np.array(node.offset)
            for k, ref in enumerate(refs):
                if ref.node is not node.pieces[k]:
                    offset[node.owner == k] = ref.index
            return replace(node, pieces=tuple(ref.node for ref in refs), offset=offset), readings
    assert isinstance(node, (Map, Call))
    return replace(node, args=tuple(map(through, node.args))), readings


def _reading(ref: Ref) -> Join:
    owner = np.broadcast_to(np.zeros((), NUMBER), ref.shape)
    node = ref.node
    return Join(
        shape=ref.shape, pieces=(node,), owner=owner, offset=ref.index, boolean=node.boolean, integer=node.integer
    )
