"""Which lines bring the entries of a row or a column in, and what would make it shorter."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from coloring import SparsityPattern
from coloring.words import dimensions, several
from sparsead.errors import InputError, Origin
from sparsead.explain.couplings import coupled
from sparsead.explain.edges import Backward, Forward, origin_of
from sparsead.explain.explanation import Explanation, Line, Overview, Step, source_line
from sparsead.explain.flow import NOTHING, Cause, Flow, name_of
from sparsead.program.index import Shape
from sparsead.program.nodes import Node, Program

STANDS_OUT = 8  # times the length of a typical row


def explain(prepared: Any, row: int | None, column: int | None) -> Explanation | Overview:
    """Explain a row, a column, or the longest of both; see `PreparedMatrix.explain`."""
    if row is not None and column is not None:
        raise InputError("explain(row=...) or explain(column=...), one at a time")
    if row is None and column is None:
        return _overview(prepared)
    return _one(prepared, "row" if row is not None else "column", row if row is not None else column)


def row_lines(program: Program, number: int, among: np.ndarray | None = None) -> tuple[Line, ...]:
    """Return the lines that bring in the entries of row `number` of the Jacobian of a program, widest first.

    Parameters
    ----------
    program : Program
        What was traced.
    number : int
        The row: an element of the function's value, flat.
    among : ndarray of int, optional
        The columns of that row; by default all that the row can depend on.
    """
    start = program.output.index.reshape(-1)[[number]]
    flow = Flow(Backward(program)).run([(program.output.node, start, NOTHING)])
    return _lines(flow, program.wrt, flow.of(program.wrt), program.wrt.size, among)


def column_lines(program: Program, number: int, among: np.ndarray | None = None) -> tuple[Line, ...]:
    """Return the lines by which x number `number` enters rows of the Jacobian; see `row_lines`."""
    flow = Flow(Forward(program)).run([(program.wrt, np.array([number]), NOTHING)])
    node, index = program.output.node, program.output.index.reshape(-1)
    rows = {cause: np.flatnonzero(mask[index]) for cause, mask in flow.reached.get(node.serial, {}).items()}
    return _lines(flow, node, rows, index.size, among)


def coupling_lines(program: Program, number: int, among: np.ndarray | None = None) -> tuple[Line, ...]:
    """Return the lines whose nonlinear operations couple x number `number` with others; see `row_lines`."""
    flow = coupled(program, number)
    return _lines(flow, program.wrt, flow.of(program.wrt), program.wrt.size, among)


# -- from a flow to lines ---------------------------------------------------------------------------------------
def _lines(
    flow: Flow, end: Node, entries: dict[Cause, np.ndarray], size: int, among: np.ndarray | None
) -> tuple[Line, ...]:
    """Put the causes of one line together."""
    wanted = np.full(size, among is None)
    if among is not None:
        wanted[among] = True
    entries = {cause: found[wanted[found]] for cause, found in entries.items()}
    by_line: dict[Origin | None, list[Cause]] = defaultdict(list)
    for cause in sorted(entries, key=lambda cause: -entries[cause].size):
        if entries[cause].size:
            by_line[cause.origin].append(cause)
    masks = {origin: np.zeros(size, np.bool_) for origin in by_line}
    for origin, causes in by_line.items():
        for cause in causes:
            masks[origin][entries[cause]] = True
    count = sum((mask.astype(np.int64) for mask in masks.values()), np.zeros(size, np.int64))
    lines = []
    for origin, causes in by_line.items():
        names = tuple(cause.operation for cause in causes if cause.operation)
        text = source_line(origin) if origin else "x itself, with no operation"
        only = int(np.count_nonzero(masks[origin] & (count == 1)))
        lines.append(Line(origin, text, np.flatnonzero(masks[origin]), only, names, _chain(flow, end, causes[0])))
    if among is not None and not count[among].all():  # computed and thrown away, or room that a given pattern leaves
        rest = among[count[among] == 0]
        lines.append(Line(None, "always zero: no operation that is used leads here", rest, rest.size, (), ()))
    return tuple(sorted(lines, key=lambda line: (-line.entries.size, -line.only, line.place)))


def _chain(flow: Flow, end: Node, cause: Cause) -> tuple[Step, ...]:
    """Return the operations on the widest way under a cause, from the function's value to x."""
    way = [Step(name_of(node), origin_of(node), fan) for node, fan in flow.way(end, cause) if name_of(node)]
    way = way if isinstance(flow.edges, Forward) else way[::-1]
    if flow.fixed and cause.operation:  # the coupling itself is where such a flow starts
        way = [Step(cause.operation, cause.origin, 1), *way]
    return tuple(replace(step, times=len(list(same))) for step, same in groupby(way))


# -- rows and columns of a prepared matrix ----------------------------------------------------------------------
def _one(prepared: Any, side: str, number: Any) -> Explanation:
    pattern: SparsityPattern = prepared.pattern if side == "row" else prepared.pattern.T
    count, length = pattern.shape
    if not isinstance(number, (int, np.integer)) or not -count <= number < count:
        raise InputError(f"{side}={number!r}: expected an integer, 0 to {count - 1}")
    number = int(number) % count
    entries = pattern.indices[pattern.indptr[number] : pattern.indptr[number + 1]]
    program: Program = prepared.program
    if prepared.derivative == "hessian":
        lines = coupling_lines(program, number, entries)
    else:
        lines = (row_lines if side == "row" else column_lines)(program, number, entries)
    shape: Shape = program.output.shape if side == "row" and prepared.derivative != "hessian" else program.wrt.shape
    place = tuple(int(i) for i in np.unravel_index(number, shape)) if shape else ()
    typical = int(np.median(np.diff(pattern.indptr)))
    found = Explanation(prepared.title, side, number, place, entries.size, length, typical, lines)
    return replace(found, advice=_shorter(prepared, found))


def _shorter(prepared: Any, found: Explanation) -> tuple[str, ...]:
    """Say how to make a long row or column shorter."""
    long = found.size > STANDS_OUT * max(found.typical, 1) or 2 * found.size > found.length
    steps = found.lines[0].chain if found.lines and long else ()
    sums = [step for step in steps if step.operation == "sum" and 2 * step.fan > found.size and step.origin]
    if not sums:
        return ()
    at = f"the sum of line {sums[-1].origin.line}"  # type: ignore[union-attr]
    if prepared.derivative == "hessian":
        return (f"Help: a variable s with the constraint s = {at} keeps what {at} reads from meeting.",)
    left = found.size - found.lines[0].only + 1
    entries = several(left, "entry")
    return (f"Help: an unknown s with the equation s = {at} would leave {entries} here.",)


def _overview(prepared: Any) -> Overview:
    pattern: SparsityPattern = prepared.pattern
    lengths = {"row": np.diff(pattern.indptr), "column": np.diff(pattern.T.indptr)}
    if prepared.derivative == "hessian":
        del lengths["column"]
    words = ", ".join(f"{side}s of {_spread(count)}" for side, count in lengths.items())
    parts = tuple(
        _one(prepared, side, int(np.argmax(count)))
        for side, count in lengths.items()
        if count.size and count.max() > 0 and (_is_long(count).any() or 2 * count.max() > pattern.shape[side == "row"])
    )
    shape = f"{dimensions(pattern.shape)}, {several(pattern.nnz, 'nonzero')}, {words} entries"
    return Overview(prepared.title, shape, parts, _fewer_passes(prepared, lengths))


def _spread(count: np.ndarray) -> str:
    if not count.size:
        return "none"
    low, high, typical = int(count.min()), int(count.max()), int(np.median(count))
    return f"{low:,}" if low == high else f"{low:,} to {high:,} (median {typical:,})"


def _is_long(count: np.ndarray) -> np.ndarray:
    typical = float(np.median(count)) if count.size else 0.0
    return count > STANDS_OUT * max(typical, 1.0)


def _fewer_passes(prepared: Any, lengths: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Say what the long rows and columns cost in passes, and which mode would avoid that."""
    long = {side: _is_long(count) for side, count in lengths.items()}
    counts = {side: int(mask.sum()) for side, mask in long.items() if mask.any()}
    if not counts:
        return ("No row or column is much longer than the others.",)
    named = " and ".join(f"{count:,} {side}{'s' if count > 1 else ''}" for side, count in counts.items())
    verb = "is" if sum(counts.values()) == 1 else "are"
    if prepared.coloring is None:
        return (f"{named} {verb} much longer than the others; in direct mode that costs entries, no passes.",)
    passes = sum(prepared.passes.values())
    lines = [f"{named} {verb} much longer than the others: {passes:,} passes; mode='direct' takes none."]
    side = {"forward": "row", "reverse": "column"}.get(prepared.mode)
    if side in counts:
        rest = int(lengths[side][~long[side]].max(initial=0))
        lines.append(f"mode='bidirectional' can take the long {side}s apart; the others need at least {rest:,} passes.")
    return tuple(lines)
