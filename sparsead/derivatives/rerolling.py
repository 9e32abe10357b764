"""A loop that a function wrote out, as the operation that `sparsead.extend.repeat` makes of one.

What it takes to prepare does not depend on the number of turns then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coloring import SparsityPattern
from sparsead.derivatives.modes import in_lanes
from sparsead.derivatives.of_cell import Lowered
from sparsead.derivatives.preparation import Options
from sparsead.emit.sweep import Engine
from sparsead.kernels.kernel import CallKernel
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.kernels.pattern import detect
from sparsead.kernels.readings import settled
from sparsead.kernels.rolling import VERY_LONG, Loop, loop_in
from sparsead.kernels.straight_line import in_straight_line, straightened
from sparsead.program.cut import cut
from sparsead.program.index import NUMBER, IndexArray, identity, narrowed
from sparsead.program.moving import Places, moved, renewed
from sparsead.program.nodes import (
    Call,
    Input,
    Join,
    Node,
    Program,
    Ref,
    constant,
    serial_from_now,
    sources,
    whole,
)
from sparsead.stages import Timings
from sparsead.sweeps.cells import VALUE
from sparsead.sweeps.repeated.body import Body
from sparsead.sweeps.repeated.operation import Repeated

MOST_LOOPS = 4  # loops that are looked for in one program
FEW = 2  # rows or columns of a matrix that is always taken by products
MOST_PRODUCTS = 2048  # of a Hessian, through its loops
MOST_LANES = 512  # of them, where they go side by side
CHEAP = 1.25  # times the passes of the whole matrix that products with loops may take


def linearized(program: Program, options: Options, timings: Timings, output: str = VALUE) -> Lowered:
    """Lower a program and differentiate it: with its equal turns as loops, where that costs nothing at evaluations.

    Whoever names a mode gets what that is of the program as it is written.
    """
    if may_roll(options) and min(program.output.index.size, program.wrt.size) <= FEW:
        found = _by_products(program, options, timings, output)
        if found is not None:
            return found
    loops = options.loops
    with timings.stage("lower"):
        short = rerolled(program, options.engine) if may_roll(options) else program
        kernels = lower(short, output)
    with timings.stage("linearize"):
        linear = linearize(kernels)
    if short is program or loops or loops_are_cheap(linear):
        return Lowered({"value": kernels}, linear, loops=short is not program)
    with timings.stage("linearize"):
        products = linearize(kernels, products=True)
        if few_beside(products):
            return Lowered({"value": kernels}, products, loops=True)
    return linearized(program, replace(options, loops=False), timings, output)


def _by_products(program: Program, options: Options, timings: Timings, output: str) -> Lowered | None:
    """Lower a program with loops, for products with its derivative alone; None where there are none."""
    with timings.stage("lower"):
        short = rerolled(program, options.engine, products=True)
        if short is program:
            return None
        kernels = straightened(lower(short, output))
    with timings.stage("linearize"):
        return Lowered({"value": kernels}, linearize(kernels, products=True, whole=True), loops=True)


def may_roll(options: Options) -> bool:
    """Tell whether equal turns may become loops: not where the user names a mode, for that is of what is written."""
    if options.loops is None:
        return options.mode == "auto" and options.pattern is options.coloring is None
    return options.loops


def few_products(linear: LinearProgram) -> bool:
    """Tell whether few products give a matrix, with columns or with rows."""
    return linear.has_calls and _fewest_products(detect(linear)[linear.target]) <= MOST_PRODUCTS


def few_beside(linear: LinearProgram) -> bool:
    """Tell whether tangents go through all loops of a program in lanes, and are not too many for that."""
    return in_lanes(linear) and _fewest_products(detect(linear)[linear.target]) <= MOST_LANES


def rerolled(program: Program, engine: Engine, products: bool = False, long: int = VERY_LONG) -> Program:
    """Return a program in which equal turns are loops; the program itself if there are none.

    See `loop_in` for `long`; with `products` these alone are going to be asked for.
    Loops run as machine code in one thread: for another engine the program is the one that is written.
    """
    for _ in range(MOST_LOOPS if engine == Engine() and engine.backend == "llvm" else 0):
        loop = loop_in(program, long, products)
        calls = [] if loop is None else _calls(program, loop, products)
        if loop is None or not calls:
            break
        program = _with_calls(program, loop, calls)
    return program


def loops_are_cheap(linear: LinearProgram) -> bool:
    """Tell whether a matrix takes no more products with the derivatives of its loops than it would take itself.

    These are cheap with respect to the state alone.
    """
    products = 0
    for step in linear.primal.kernels:
        if isinstance(step, CallKernel) and isinstance(step.operation, Repeated):
            for number, entries in enumerate(step.entries):
                if entries in step.filled:
                    products += _fewest_products(step.operation.pattern(number))
                    if step.operation.in_lanes(number) is None:
                        return False
    return products <= CHEAP * _fewest_products(detect(linear)[linear.target])


def _fewest_products(pattern: SparsityPattern) -> int:
    """Return a bound of how many products give a matrix: the longest row, or the longest column."""
    return min(int(np.diff(p.indptr).max(initial=0)) for p in (pattern, pattern.T))


def _calls(program: Program, loop: Loop, products: bool) -> list[Call]:
    """Return the calls in place of a loop.

    There are none where what the choices of a turn close would have to be told from zeros, from turn to turn: there a
    tangent of zero is not nothing.
    """
    parts = loop.calls()
    before = settled(loop.nodes[: loop.start], {})
    body, outer = _body(program, parts[0], products, before)
    if body.linear.absorbing:
        return []
    count, origin = parts[0].count, loop.nodes[loop.start].origin
    operation = Repeated(body, count, f"a loop of {count} equal turns in {program.name}")
    nothing = [whole(constant(np.zeros(count * loop.turn(0)[k].size))) for k in loop.collected]
    calls: list[Call] = []
    state = [moved(whole(node), before) for node in loop.given]
    for part in parts:
        rows = [moved(part.row(k), before) for k in loop.rows]
        args = (_together([*state, *nothing]), *rows, *map(whole, outer))
        calls.append(Call(shape=(body.next[0].size,), operation=operation, args=args, origin=origin))
        state = list(_parts(part.state(count - 1), calls[-1]).values())
    return calls


def _with_calls(program: Program, loop: Loop, calls: Sequence[Call]) -> Program:
    """Return the program with calls in place of the turns, and what comes after them reading their results."""
    places: dict[int, Ref] = {}
    for part, call in zip(loop.calls(), calls, strict=True):
        for k, history in zip(loop.collected, _histories(part, call), strict=True):
            for turn in range(part.count):
                node = part.turn(turn)[k]
                places[node.serial] = Ref(call, history[turn].reshape(node.shape))
    places |= _parts(loop.state(loop.count - 1), calls[-1])
    places = settled(loop.nodes[loop.end :], settled(loop.nodes[: loop.start], {}) | places)
    return replace(program, output=moved(loop.output, places))


def _body(program: Program, loop: Loop, products: bool, earlier: Places) -> tuple[Body, list[Node]]:
    """Return what a turn computes, and the arrays outside of the loop that it reads.

    Small ones are straight lines where there are going to be products alone: entries are better taken piece by piece.
    """
    start = serial_from_now()
    before, template = loop.state(0), loop.turn(1)
    collected = [template[k] for k in loop.collected]
    size = sum(node.size for node in before) + loop.count * sum(node.size for node in collected)
    state = Input(shape=(size,), name="x")
    rows = [Input(shape=template[k].shape, name=f"row{k}") for k in loop.rows]
    places = {**earlier, **_parts(before, state)}
    places |= {template[k].serial: whole(row) for k, row in zip(loop.rows, rows, strict=True)}
    for node in template:
        if sources(node) and node.serial not in places:
            places[node.serial] = renewed(node, places)
    handed = [places[node.serial] for node in loop.state(1)]
    for node, history in zip(collected, _histories(loop, state), strict=True):  # the oldest goes, the newest comes last
        handed += [Ref(state, history[1:].reshape(-1)), places[node.serial]]
    turn, outer = cut(Program((state, *rows), state, _together(handed), program.name), start)
    kernels = lower(turn)
    kinds = ("state", *("row" for _ in rows), *("fixed" for _ in outer))
    steps = in_straight_line(kernels.kernels, [kernels.output]) if products else kernels.kernels
    return Body((kernels.wrt, *kernels.arguments), kinds, (kernels.output,), steps), outer  # type: ignore[arg-type]


def _histories(loop: Loop, joined: Node) -> list[IndexArray]:
    """Return where the collected values are in the array of all that turns hand on, after the state: a row a turn."""
    sizes = [loop.turn(0)[k].size for k in loop.collected]
    ends = joined.size - loop.count * (sum(sizes) - np.cumsum(sizes, dtype=np.int64))
    everywhere = identity(joined.size)
    return [
        everywhere[end - loop.count * size : end].reshape(loop.count, size)
        for end, size in zip(ends.tolist(), sizes, strict=True)
    ]


def _parts(nodes: Sequence[Node], joined: Node) -> dict[int, Ref]:
    """Return where each of some nodes is in the array of all of them, one after the other."""
    ends = np.cumsum([node.size for node in nodes]).tolist()
    all_of_it = identity(joined.size)
    found = {}
    for node, end in zip(nodes, ends, strict=True):
        found[node.serial] = Ref(joined, all_of_it[end - node.size : end].reshape(node.shape))
    return found


def _together(refs: Sequence[Ref]) -> Ref:
    """Return the flat array of some arrays, one after the other."""
    if len(refs) == 1:
        return Ref(refs[0].node, refs[0].index.reshape(-1))
    owner = np.repeat(np.arange(len(refs), dtype=NUMBER), [ref.index.size for ref in refs])
    offset = narrowed(np.concatenate([ref.index.reshape(-1) for ref in refs]))
    pieces = tuple(ref.node for ref in refs)
    return renewed(Join(shape=owner.shape, pieces=pieces, owner=owner, offset=offset), {})  # each piece once
