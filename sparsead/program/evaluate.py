"""Evaluate a program with NumPy, node by node: no fusion, no generated code.

The slow twin of the compiled kernels: tests compare the two, and guarded traces ask it for the branch to take.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sparsead.program.nodes import Call, Constant, Input, Join, Map, Node, Ref, Sum, sources

Values = dict[int, np.ndarray]  # serial number of a node -> its values, flat


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


def _value(node: Node, inputs: Mapping[int, np.ndarray], known: Values) -> np.ndarray:
    read = [known[r.node.serial][r.index] for r in node.operands] if not isinstance(node, Join) else []
    match node:
        case Input():
            return np.asarray(inputs[node.serial], dtype=np.float64)
        case Constant():
            return node.value
        case Map():
            with np.errstate(all="ignore"):
                return node.op.numpy(*read)
        case Sum():
            total = np.zeros(node.size)
            np.add.at(total, np.reshape(node.place, -1), np.reshape(read[0], -1))
            return total
        case Join():
            total = np.empty(node.size)
            owner, offset = node.owner.reshape(-1), node.offset.reshape(-1)
            for number, piece in enumerate(node.pieces):
                total[owner == number] = known[piece.serial][offset[owner == number]]
            return total
        case Call():
            result = np.empty(node.size)
            node.operation.value([np.ascontiguousarray(r, dtype=np.float64).reshape(-1) for r in read], result)
            return result
    raise AssertionError(f"no rule to evaluate {node.label}")
