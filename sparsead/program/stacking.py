"""Operations that a loop did for one element after another, done for all elements at once.

``for e, (i, j) in enumerate(edges): v = d[j] - d[i]; l[e] = v @ v`` records small arrays, as many as there are edges.
Nodes of one depth do not depend on one another. Those that do the same with the same nodes, wherever they read these,
become the rows of one node; so do their readers then, and code does not grow with the number of turns.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.program.accumulation import accumulated, additions_in
from sparsead.program.index import IndexArray, identity, narrowed
from sparsead.program.moving import moved, renewed
from sparsead.program.nodes import (
    Constant,
    Earlier,
    Join,
    Map,
    Node,
    Program,
    Ref,
    Sum,
    new_serial,
    sources,
)

LEAST = 16  # nodes: fewer are written out, which lets them share what they compute
MOST = 64  # elements of each

Groups = list[list[Node]]


def stacked(program: Program) -> Program:
    """Return a program in which many small nodes that are alike are one; the program itself if there are none."""
    nodes = program.nodes
    if len(nodes) < LEAST or any(isinstance(node, Earlier) for node in nodes):
        return program
    program, groups = _with_sums(program, _groups(nodes))
    if not any(len(group) > 1 and isinstance(group[0], Map) for group in groups):
        return program
    return _Stacking(groups).run(program)


def _with_sums(program: Program, groups: Groups) -> tuple[Program, Groups]:
    """Return a program in which chains of additions that would stay as many nodes are sums, and its groups."""
    kinds = {node.serial: k for k, group in enumerate(groups) for node in group}
    additions = additions_in(program.nodes, MOST)
    while len({kinds[node.serial] for node in additions}) >= LEAST:
        short, sums = accumulated(program, additions, kinds)
        found = _groups(short.nodes)
        numbers = {node.serial: k for k, group in enumerate(found) for node in group}
        longer: set[int] = set()
        for node in (node for node in short.nodes if node.serial in sums):
            chained = {other.serial for other in sums[node.serial]}
            terms = {numbers[term.serial] for term in _added(node.operands[0].node)}
            if len({kinds[serial] for serial in chained}) < LEAST * len(terms):
                longer |= chained
        if not longer:
            return short, found
        additions = [node for node in additions if node.serial not in longer]
    return program, groups


def _added(node: Node) -> Iterable[Node]:
    """Return the nodes that what is added up depends on, signs apart; those that are known cost nothing."""
    match node:
        case Join():
            return (other for piece in node.pieces for other in _added(piece))
        case Map() if node.op.name == "negative" and isinstance(node.args[0].node, Join):
            return _added(node.args[0].node)
        case Constant():
            return ()
    return (node,)


def _groups(nodes: Sequence[Node]) -> Groups:
    """Return the nodes, operands first, those that become one together."""
    levels: dict[int, list[Node]] = {}
    depths: dict[int, int] = {}
    for node in nodes:
        depths[node.serial] = depth = 1 + max((depths[read.serial] for read in sources(node)), default=0)
        levels.setdefault(depth, []).append(node)
    found: list[list[Node]] = []
    kinds: dict[int, int] = {}  # by serial number, that of the node or of the first one of its group
    for _, level in sorted(levels.items()):
        alike: dict[Hashable, list[Node]] = {}
        for node in level:
            alike.setdefault(_key(node, kinds), []).append(node)
        for group in alike.values():
            parts = [group] if len(group) >= LEAST else [[node] for node in group]
            kinds |= {node.serial: part[0].serial for part in parts for node in part}
            found += parts
    return found


def _key(node: Node, kinds: dict[int, int]) -> Hashable:
    """Return what nodes have in common that may become one; the number of a node that stays by itself."""
    common = (type(node), node.shape, node.boolean, node.integer)
    if not 0 < math.prod(node.shape) <= MOST:
        return node.serial
    match node:
        case Constant():
            return common
        case Map():
            values = tuple(map(_number, node.args)) if node.op.name == "power" else ()  # small ones are products
            return (*common, node.op, values, *(kinds[ref.node.serial] for ref in node.args))
        case Sum() if 0 < node.place.size <= MOST:
            return (*common, node.terms.shape, kinds[node.terms.node.serial])
    return node.serial


def _number(ref: Ref) -> float | None:
    return float(ref.node.value.flat[0]) if isinstance(ref.node, Constant) and ref.node.size == 1 else None


@dataclass
class _Stacking:
    """One node for each group, whose nodes all read the same nodes, or rows of the same ones."""

    groups: list[list[Node]]
    places: dict[int, Ref] = field(default_factory=dict)

    def run(self, program: Program) -> Program:
        """Return the program of these nodes."""
        for group in self.groups:
            if len(group) == 1:
                self.places[group[0].serial] = renewed(group[0], self.places)
                continue
            rows = identity((made := self.together(group)).shape)
            self.places |= {node.serial: Ref(made, row) for node, row in zip(group, rows, strict=True)}
        return replace(program, output=moved(program.output, self.places))

    def together(self, group: Sequence[Node]) -> Node:
        """Return the node whose rows are those of a group."""
        node, shape = group[0], (len(group), *group[0].shape)
        read = [self.rows(refs) for refs in zip(*(other.operands for other in group), strict=True)]
        match node:
            case Constant():
                values = np.stack([other.value for other in group if isinstance(other, Constant)])
                values.setflags(write=False)
                return replace(node, shape=shape, value=values, serial=new_serial())
            case Map():
                return replace(node, shape=shape, args=tuple(read), serial=new_serial())
        assert isinstance(node, Sum)
        places = [
            other.place.astype(np.int64) + k * node.size for k, other in enumerate(group) if isinstance(other, Sum)
        ]
        place = narrowed(np.stack(places))
        return replace(node, shape=shape, terms=read[0], place=place, memo={}, serial=new_serial())

    def rows(self, refs: Sequence[Ref]) -> Ref:
        """Return readings, one of each node of a group, as the rows of one."""
        found = [moved(ref, self.places) for ref in refs]
        index: IndexArray = narrowed(np.stack([ref.index for ref in found]))
        if (index == index[:1]).all():
            index = np.broadcast_to(index[0], index.shape)
        return Ref(found[0].node, index)
