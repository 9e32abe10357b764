"""Second derivatives: which x's one x meets in a nonlinear operation, and where."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsead.explain.edges import Backward, Forward, distinct, read
from sparsead.explain.flow import NOTHING, Cause, Flow, name_of
from sparsead.kernels.chain import Chain
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Load
from sparsead.program.nodes import Constant, Map, Node, Program, Ref
from sparsead.program.scalar import Expr, Pool


def coupled(program: Program, number: int) -> Flow:
    """Follow what x number `number` meets in nonlinear operations down to the x's; the causes are those operations."""
    backward = Backward(program, carried=True)
    depends = Flow(Forward(program, carried=True), fixed=True).run([(program.wrt, np.array([number]), NOTHING)])
    everything = distinct(program.output.index.reshape(-1), program.output.node.size)
    used = Flow(backward, fixed=True).run([(program.output.node, everything, NOTHING)])
    starts = [start for node in program.nodes if isinstance(node, Map) for start in _met(node, depends, used)]
    return Flow(backward, fixed=True).run(starts)


def _met(node: Map, depends: Flow, used: Flow) -> Iterator[tuple[Node, np.ndarray, Cause]]:
    """Yield the operands that meet, in an operation, one that depends on the chosen x."""
    alive = used.anywhere(node)
    for k, partners in curved(node).items():
        arg = node.args[k]
        if arg.node.serial not in depends.reached:
            continue
        points = np.flatnonzero(depends.anywhere(arg.node)[arg.index].reshape(-1) & alive)
        if points.size:
            cause = Cause(node.origin, name_of(node))
            yield from ((node.args[q].node, read(node.args[q], points), cause) for q in partners)


def curved(node: Map) -> dict[int, list[int]]:
    """Return for each operand the operands on which the partial derivative with respect to it depends."""
    pool = Pool()
    operands = [_operand(pool, k, ref) for k, ref in enumerate(node.args)]
    found: dict[int, list[int]] = {}
    for k, rule in enumerate(node.op.partials):
        partial = rule(*operands) if rule is not None and not operands[k].is_constant else None
        if isinstance(partial, Expr):
            seconds = Chain(lambda load: True).coefficients(partial)
            found[k] = [q for q, operand in enumerate(operands) if operand in seconds]
    return {k: partners for k, partners in found.items() if partners}


def _operand(pool: Pool, k: int, ref: Ref) -> Expr:
    """Return what stands for an operand: its value where that is one known number."""
    if isinstance(ref.node, Constant) and ref.node.value.size == 1:
        return pool.constant(float(ref.node.value.reshape(-1)[0]))
    return pool.leaf(Load(Buffer(f"operand{k}", 1, "work"), IndexMap((1,), 0, (0,))))
