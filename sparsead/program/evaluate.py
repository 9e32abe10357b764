"""Evaluate a program with NumPy, node by node: no fusion, no generated code.

The slow twin of the compiled kernels: tests compare the two, guarded traces ask it for the branch to take, and every
preparation compares its values with the function's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from sparsead.program.index import read, stored_part
from sparsead.program.nodes import Call, Constant, Earlier, Input, Join, Map, Node, Program, Ref, Scan, Sum, sources

Values = dict[int, np.ndarray]  # serial number of a node -> its values, flat

EPS = float(np.finfo(np.float64).eps)


def evaluate(ref: Ref, inputs: Mapping[int, np.ndarray], known: Values | None = None) -> np.ndarray:
    """Return what `ref` reads.

    Parameters
    ----------
    ref : Ref
        The reading.
    inputs : mapping
        Serial number of each input to its values.
    known : dict, optional
        Values found by earlier calls with the same inputs; what is found now is added.

    Returns
    -------
    ndarray, of the shape of the reading
    """
    known = {} if known is None else known
    for node in _missing(ref.node, known):
        if not isinstance(node, Earlier):
            known[node.serial] = np.reshape(_value(node, inputs, known), -1)
    return known[ref.node.serial][ref.index]


def run(program: Program, inputs: Mapping[int, np.ndarray], rounding: np.random.Generator | None = None) -> np.ndarray:
    """Return the value of a program, in its shape; what no later node reads is let go.

    Parameters
    ----------
    program : Program
        Its scans are done turn by turn: see `can_run`.
    inputs : mapping
        Serial number of each input to its values.
    rounding : Generator, optional
        Disturbs the result of every operation by a few units in the last place, so that several runs show how far
        rounding can carry the value.
    """
    nodes = program.nodes
    readers = Counter(piece.serial for node in nodes for piece in sources(node))
    readers[program.output.node.serial] += 1
    known: Values = {}
    inside = set() if can_run(program) else _inside(nodes)
    for node in nodes:
        if node.serial in inside:
            continue
        value = np.reshape(_value(node, inputs, known), -1)
        known[node.serial] = value if rounding is None else _disturbed(node, value, known, rounding)
        for piece in sources(node):
            readers[piece.serial] -= 1
            if not readers[piece.serial]:
                known.pop(piece.serial, None)  # the bodies of a scan are not in there
    return read(known[program.output.node.serial], program.output.index)


def can_run(program: Program, turns: int = 0) -> bool:
    """Tell whether all is done array by array, but for some turns: what follows from one another takes Python long."""
    return sum(node.size for node in program.nodes if isinstance(node, Scan)) <= turns


def _disturbed(node: Node, value: np.ndarray, known: Values, rounding: np.random.Generator) -> np.ndarray:
    """Return the value of a node, as other roundings of it and inside it could have made it."""
    if value.dtype != np.float64 or isinstance(node, (Constant, Join)):
        return value
    size = np.abs(value)
    if isinstance(node, Sum):  # the order in which terms are added up is free
        terms = np.abs(known[node.terms.node.serial])
        size = size + np.sqrt(node.terms.index.size) * np.max(terms, initial=0.0, where=np.isfinite(terms))
    with np.errstate(all="ignore"):
        return value + 4 * EPS * size * rounding.uniform(-1.0, 1.0, value.size)


def _missing(root: Node, known: Values) -> list[Node]:
    """Return the nodes whose values are not known yet, operands first; what is inside a scan is part of the scan."""
    found: dict[int, Node] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.serial not in known and node.serial not in found:
            found[node.serial] = node
            pending.extend(sources(node))
    inside = _inside(found.values())
    return [found[serial] for serial in sorted(found) if serial not in inside]


def _inside(nodes: Iterable[Node]) -> set[int]:
    """Return the nodes, of some that are given, that depend on what a scan computed earlier."""
    found: set[int] = set()
    for node in sorted(nodes, key=lambda n: n.serial):
        if isinstance(node, Earlier) or (isinstance(node, Map) and any(r.node.serial in found for r in node.args)):
            found.add(node.serial)
    return found


# -- one rule per kind of node ------------------------------------------------------------------------------------
def _value(node: Node, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    return RULES[type(node)](node, inputs, known)


def _operands(node: Node, known: Values) -> list[np.ndarray]:
    return [read(known[r.node.serial], r.index) for r in node.operands]


def _input(node: Input, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    return np.asarray(inputs[node.serial], dtype=np.float64)


def _constant(node: Constant, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    return node.value


def _map(node: Map, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    with np.errstate(all="ignore"):
        return node.op.numpy(*_operands(node, known))


def _call(node: Call, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    result = np.empty(node.size)
    operands = [np.ascontiguousarray(r, dtype=np.float64).reshape(-1) for r in _operands(node, known)]
    node.operation.value(operands, result)
    return result


def _sum(node: Sum, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    """Add terms up at their places; axes that all go to the same place first."""
    (terms,), place = _operands(node, known), node.place
    repeated = tuple(k for k, stride in enumerate(place.strides) if stride == 0 and place.shape[k] > 1)
    with np.errstate(all="ignore"):
        terms = np.sum(terms, axis=repeated, keepdims=True) if repeated else terms
    place = stored_part(place)
    return np.bincount(place.reshape(-1), np.broadcast_to(terms, place.shape).reshape(-1), minlength=node.size)


def _join(node: Join, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    """Put the pieces of a join together, piece by piece."""
    total = np.empty(node.size)
    owner, offset = node.owner.reshape(-1), node.offset.reshape(-1)
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner, np.arange(len(node.pieces) + 1), sorter=order)
    for number, piece in enumerate(node.pieces):
        here = order[ends[number] : ends[number + 1]]
        total[here] = known[piece.serial][offset[here]]
    return total


def _scan(node: Scan, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    """Compute the elements turn by turn: at each, the operations of the bodies at one point."""
    total = np.empty(node.size)
    first = node.start.index.size
    total[:first] = known[node.start.node.serial][node.start.index].reshape(-1)
    turns = node.bodies[0].index.size
    bodies = [Ref(body.node, body.index.reshape(-1)) for body in node.bodies]
    for turn in range(turns):
        values: dict[tuple[int, int], Any] = {}
        for k, body in enumerate(bodies):
            total[first + k * turns + turn] = _at(body.node, int(body.index[turn]), node.earlier, total, known, values)
    return total


def _at(
    root: Node, point: int, earlier: Earlier, total: np.ndarray, known: Values, values: dict[tuple[int, int], Any]
) -> Any:
    """Return an element of a node inside a scan, of which `total` holds what was computed so far."""
    pending = [(root, point)]
    while pending:
        node, at = pending[-1]
        if node is earlier or node.serial in known:
            values[node.serial, at] = total[at] if node is earlier else known[node.serial][at]
        if (node.serial, at) in values:
            pending.pop()
            continue
        assert isinstance(node, Map), f"{node.label} inside a recurrence"
        operands = [(r.node, int(r.index.reshape(-1)[at])) for r in node.args]
        missing = [(n, p) for n, p in operands if (n.serial, p) not in values]
        if missing:
            pending += missing
            continue
        with np.errstate(all="ignore"):
            values[node.serial, at] = node.op.numpy(*(values[n.serial, p] for n, p in operands))
    return values[root.serial, point]


RULES: dict[type[Node], Callable[..., np.ndarray]] = {
    Input: _input, Constant: _constant, Map: _map, Sum: _sum, Join: _join, Call: _call, Scan: _scan,
}  # fmt: skip
