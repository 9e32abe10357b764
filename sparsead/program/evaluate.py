"""Evaluate a program with NumPy, node by node: no fusion, no generated code.

The slow twin of the compiled kernels: tests compare the two, guarded traces ask it for the branch to take, and every
preparation compares its values with the function's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from sparsead.program.index import IndexArray, is_identity, stored_part
from sparsead.program.nodes import Call, Constant, Input, Join, Map, Node, Program, Ref, Scan, Sum, sources

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
        known[node.serial] = np.reshape(_value(node, inputs, known), -1)
    return known[ref.node.serial][ref.index]


def run(program: Program, inputs: Mapping[int, np.ndarray], rounding: np.random.Generator | None = None) -> np.ndarray:
    """Return the value of a program, in its shape; what no later node reads is let go.

    Parameters
    ----------
    program : Program
        Without scans: see `can_run`.
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
    for node in nodes:
        value = np.reshape(_value(node, inputs, known), -1)
        known[node.serial] = value if rounding is None else _disturbed(node, value, known, rounding)
        for piece in sources(node):
            readers[piece.serial] -= 1
            if not readers[piece.serial]:
                del known[piece.serial]
    return _read(known[program.output.node.serial], program.output.index)


def can_run(program: Program) -> bool:
    """Tell whether there is a rule for every node: elements that follow from one another are left to compiled code."""
    return not any(isinstance(node, Scan) for node in program.nodes)


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
    """Return the nodes whose values are not known yet, operands first."""
    found: dict[int, Node] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.serial not in known and node.serial not in found:
            found[node.serial] = node
            pending.extend(sources(node))
    return [found[serial] for serial in sorted(found)]


def _read(flat: np.ndarray, index: IndexArray) -> np.ndarray:
    """Return ``flat[index]``; what is read in order is not copied, what is read again and again is read once."""
    if is_identity(index, flat.size):
        return flat.reshape(index.shape)
    return np.broadcast_to(np.take(flat, stored_part(index)), index.shape)


def _value(node: Node, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    read = [_read(known[r.node.serial], r.index) for r in node.operands] if not isinstance(node, Join) else []
    match node:
        case Input():
            return np.asarray(inputs[node.serial], dtype=np.float64)
        case Constant():
            return node.value
        case Map():
            with np.errstate(all="ignore"):
                return node.op.numpy(*read)
        case Sum():
            return _sum(read[0], node.place, node.size)
        case Join():
            return _joined(node, known)
        case Call():
            result = np.empty(node.size)
            node.operation.value([np.ascontiguousarray(r, dtype=np.float64).reshape(-1) for r in read], result)
            return result
    raise AssertionError(f"no rule to evaluate {node.label}")


def _sum(terms: np.ndarray, place: IndexArray, size: int) -> np.ndarray:
    """Add terms up at their places; axes that all go to the same place first."""
    repeated = tuple(k for k, stride in enumerate(place.strides) if stride == 0 and place.shape[k] > 1)
    with np.errstate(all="ignore"):
        terms = np.sum(terms, axis=repeated, keepdims=True) if repeated else terms
    place = stored_part(place)
    return np.bincount(place.reshape(-1), np.broadcast_to(terms, place.shape).reshape(-1), minlength=size)


def _joined(node: Join, known: Values) -> np.ndarray:
    """Put the pieces of a join together, piece by piece."""
    total = np.empty(node.size)
    owner, offset = node.owner.reshape(-1), node.offset.reshape(-1)
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner, np.arange(len(node.pieces) + 1), sorter=order)
    for number, piece in enumerate(node.pieces):
        here = order[ends[number] : ends[number + 1]]
        total[here] = known[piece.serial][offset[here]]
    return total
