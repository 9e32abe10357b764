"""Cut a program off from what was computed before it began: that becomes inputs."""

from __future__ import annotations

from dataclasses import replace

from sparsead.program.nodes import Call, Constant, Input, Join, Map, Node, Program, Ref, Scan, Sum, sources


def cut(program: Program, start: int) -> tuple[Program, list[Node]]:
    """Return a program that reads nodes older than `start` as inputs, after its own, and these nodes.

    Conditions stay in the program, with what they are made of; so do constants.
    """
    outer: dict[int, Node] = {}
    inside: dict[int, Node] = {}
    own = [i for i in program.inputs if i.serial >= start]
    pending: list[Node] = [program.output.node]
    while pending:
        node = pending.pop()
        if node.serial in inside or node.serial in outer:
            continue
        if node.serial < start and not node.boolean and not isinstance(node, Constant):
            outer[node.serial] = node
            continue
        inside[node.serial] = node
        pending.extend(sources(node))
    found = [outer[serial] for serial in sorted(outer)]
    # with the number of what it stands for, an input comes before all its readers
    stand_ins = {
        n.serial: Input(shape=n.shape, integer=n.integer, serial=n.serial, name=f"outer{k}")
        for k, n in enumerate(found)
    }
    new: dict[int, Node] = dict(stand_ins)
    for serial in sorted(inside):
        new[serial] = _reading(inside[serial], new)
    inputs = (*own, *stand_ins.values())
    return replace(program, inputs=inputs, output=_moved(program.output, new)), found


def _moved(ref: Ref, new: dict[int, Node]) -> Ref:
    return Ref(new[ref.node.serial], ref.index)


def _reading(node: Node, new: dict[int, Node]) -> Node:
    """Return a node that reads others in place of those that it reads; the node itself if these are the same."""
    if all(new[source.serial] is source for source in sources(node)):
        return node
    match node:
        case Map() | Call():
            return replace(node, args=tuple(_moved(r, new) for r in node.args))
        case Sum():
            return replace(node, terms=_moved(node.terms, new), memo={})
        case Join():
            return replace(node, pieces=tuple(new[piece.serial] for piece in node.pieces))
        case Scan():
            return replace(node, start=_moved(node.start, new), bodies=tuple(_moved(r, new) for r in node.bodies))
    raise AssertionError(f"{node.label} reads nothing")
