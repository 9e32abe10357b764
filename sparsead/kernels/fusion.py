"""Which intermediate arrays get a buffer of their own; all others are computed where they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

import numpy as np

from sparsead.kernels.crossing import cuts
from sparsead.kernels.unrolling import UNROLL, unrolled
from sparsead.program.index import IndexArray, first_elements, is_identity, stored_part
from sparsead.program.nodes import Call, Constant, Earlier, Input, Join, Map, Node, Program, Ref, Scan, Sum, sources

LINEAR = {"add", "subtract", "negative"}
WRITTEN = 64  # points of short last axes that may be written out together


def materialised(program: Program) -> set[int]:
    """Return the serial numbers of the nodes to keep in buffers.

    Three reasons: a sum with many terms that something other than a sum of the output reads; a node whose values
    would be computed again for several readers at a cost worth a pass through memory (with `cost` scalar operations
    per element and a multiplicity m: ``cost > 8 and (m - 1) * cost > 64``); code that would be too long (see
    `crossing`).
    """
    nodes = program.nodes
    cost = _costs(nodes)
    keep: set[int] = set()
    readings: dict[int, dict[Hashable, float]] = defaultdict(dict)
    nonlinear: set[int] = set()
    inside_scans = _inside_scans(nodes)
    for node in reversed(nodes):
        if node.serial in inside_scans:
            continue
        multiplicity = sum(readings[node.serial].values()) if node is not program.output.node else 1.0
        if _worth_a_buffer(node, node.serial in nonlinear, cost[node.serial], multiplicity):
            if node is not program.output.node or node.serial in nonlinear:
                keep.add(node.serial)
            multiplicity = 1.0
        if isinstance(node, Scan):
            keep.add(node.serial)
            nonlinear.update(_read_by(node, inside_scans))
        inside = node.serial in nonlinear and node.serial not in keep
        for operand in _readings(node):
            if inside or (isinstance(node, Map) and not is_linear(node)):
                nonlinear.add(operand.node.serial)
            key, share = _key(operand), _share(operand)
            seen = readings[operand.node.serial]
            seen[key] = max(seen.get(key, 0.0), share * max(multiplicity, 1.0))
    return keep | cuts(program, keep, inside_scans | _of_carriers(nodes))


def _inside_scans(nodes: list[Node]) -> set[int]:
    """Return the nodes that depend on what a scan computed earlier: they are computed inside it."""
    found: set[int] = set()
    for node in nodes:
        if isinstance(node, Earlier) or (isinstance(node, Map) and any(r.node.serial in found for r in node.args)):
            found.add(node.serial)
    return found


def _of_carriers(nodes: list[Node]) -> set[int]:
    """Return what is computed of carriers alone where these are replaced in coefficients: a buffer would not be."""
    calls = [node for node in nodes if isinstance(node, Call)]
    if not any(call.operation.restates for call in calls):
        return set()
    found = {call.serial for call in calls if call.operation.carrier}
    for node in nodes:
        reads = [n for n in sources(node) if not isinstance(n, Constant)]
        if reads and not isinstance(node, Call) and all(n.serial in found for n in reads):
            found.add(node.serial)
    return found


def _read_by(scan: Scan, inside_scans: set[int]) -> set[int]:
    """Return the nodes outside of a scan that its bodies read."""
    found: set[int] = set()
    seen: set[int] = set()
    pending = [r.node for r in scan.bodies]
    while pending:
        node = pending.pop()
        if node.serial in seen:
            continue
        seen.add(node.serial)
        if node.serial in inside_scans:
            pending.extend(r.node for r in node.operands)
        else:
            found.add(node.serial)
    return found


def _worth_a_buffer(node: Node, nonlinear: bool, cost: float, multiplicity: float) -> bool:
    if isinstance(node, Sum):
        return nonlinear and unrolled(node) is None
    return isinstance(node, Map) and worth_storing(cost, multiplicity)


def worth_storing(cost: float, multiplicity: float) -> bool:
    """Tell whether values that are computed so often, at so many operations each, are worth a pass through memory."""
    return cost > 8 and (multiplicity - 1.0) * cost > 64


def is_linear(node: Map) -> bool:
    """Tell whether a node only adds, subtracts or scales by values that do not depend on x."""
    if node.op.name in LINEAR:
        return True
    return node.op.name == "multiply" and any(is_factor(r.node) for r in node.args)


def is_factor(node: Node) -> bool:
    """Tell whether a node is a value that does not depend on x: a constant or another argument."""
    return isinstance(node, Constant) or (isinstance(node, Input) and node.name != "x")


def _costs(nodes: list[Node]) -> dict[int, float]:
    """Scalar operations per element when everything below is computed in place."""
    cost: dict[int, float] = {}
    for node in nodes:
        below = sum(cost[r.node.serial] for r in node.operands) if isinstance(node, Map) else 0.0
        own = 0.0 if not isinstance(node, Map) or (is_linear(node) and below == 0.0) else float(node.op.cost)
        cost[node.serial] = min(own + below, 1.0e6)
    return cost


def _readings(node: Node) -> tuple[Ref, ...]:
    if isinstance(node, Join):  # each piece is read once; counting shares is enough
        return tuple(Ref(p, first_elements((p.size,))) for p in node.pieces)
    return node.operands


def _share(ref: Ref) -> float:
    """Return how often a reading computes an element of what it reads, on average over the node.

    Along an axis that the reading does not depend on, a value is computed once where the loop over it is inside, or
    where all is written out from that axis on; else (a row vector broadcast over rows) at each of its points.
    """
    index = ref.index
    if not index.size:
        return 0.0
    share = stored_part(index).size / max(ref.node.size, 1)  # more than 1 where elements are gathered repeatedly
    inner = max((axis for axis, stride in enumerate(index.strides) if stride and index.shape[axis] > 1), default=0)
    outside = [axis for axis in range(inner) if not index.strides[axis] and index.shape[axis] > 1]
    repeated = float(np.prod([index.shape[axis] for axis in outside])) if outside else 1.0
    written = np.prod(index.shape[outside[0] :], dtype=np.int64) if outside else 1
    apart = written > WRITTEN and ref.node.size > 4 * written  # a small array costs little to compute again
    return share * repeated if repeated > UNROLL or apart else share


def _key(ref: Ref) -> Hashable:
    """A key that tells most different readings apart, from a sample of the index array."""
    index: IndexArray = ref.index
    if is_identity(index, ref.node.size):
        return "identity"
    core = stored_part(index).reshape(-1) if index.size < 4096 else stored_part(index)
    step = max(core.shape[0] // 64, 1) if core.ndim else 1
    sample = core[::step] if core.ndim else core
    return index.shape, sample.reshape(-1)[:4096].tobytes()
