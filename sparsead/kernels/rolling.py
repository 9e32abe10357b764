"""Loops that a function wrote out: operations that come again and again, each time on the values of the time before.

A run of Python's `for` leaves the same operations in the program at every turn. They are found as a period in the
sequence of operations, and are a loop only if everything is equal from turn to turn: each operation and index array,
and each operand, which is either the same array at every turn or what as many operations before computed. Constants may
be others at every turn (data, step sizes): they become rows of an array; and so does what each turn reads elsewhere in
an array from before the loop (controls, weights). What a turn computes is read in that turn and in the next one, and
after the last turn only what the next one would have read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsead.kernels.alike import Alike
from sparsead.kernels.readings import apart, is_reading
from sparsead.kernels.unrolling import unrolled
from sparsead.program.nodes import Constant, Input, Join, Map, Node, Program, Ref, Sum, constant, sources, whole

LEAST_TURNS = 8
MOST_BACK = 8  # turns before the last one, of which a turn may read something
LONG = 500  # operations of all turns: fewer are quickly prepared as they are
SHORTEST = 200  # operations of a program: with fewer there is nothing to gain
FEW, AGAIN = 8, 12_000  # elements of arrays that are written out; operations that are too many to be so, turn by turn
READ_AGAIN = 36_000  # the same where turns read elsewhere: those are more turns, with less to each
WORK = 200_000  # elements that they compute: a call of a loop takes some 25 microseconds beside them
VERY_LONG = 2000  # operations that are too many to write, whatever they compute
MOST_WRITTEN = 64  # of them for one array: beyond, points are computed in a loop
MOVED, MOVED_ON = 20_000, 4  # elements moved in place of a call, and times what a turn computes that it may move
MOST_PERIODS = 32  # lengths of a turn that are tried
IN_A_TURN = 16  # times that a turn may do the same: one of its operations has to do it no more often
SHIFTS = {"add", "subtract"}
FACTORS = {*SHIFTS, "multiply", "divide"}
MOVES, STAYS = 1, 0  # an operand that is another array at every turn, and one that is the same


@dataclass(frozen=True, eq=False, repr=False)
class Loop:
    """Equal turns in a program.

    Attributes
    ----------
    nodes : list of Node
        The operations of the program, in order; readings of what turns read at different places are among them.
    output : Ref
        The value of the program.
    start, length, count : int
        Where the first turn begins, how many operations a turn has, and how many turns there are.
    carried : tuple of int
        Which operations of a turn the next one reads; of the turn before that, counted from this one on, if it reads
        these as well.
    given : tuple of Node
        What the first turn reads in their place.
    rows : tuple of int
        Which operations of a turn are constants with other values at each, or readings of an array at other places.
    collected : tuple of int
        Which operations of a turn are read after the loop, of earlier turns too.
    together : int
        How many turns one call does; 0 if all of them.
    """

    nodes: list[Node]
    output: Ref
    start: int
    length: int
    count: int
    carried: tuple[int, ...]
    given: tuple[Node, ...]
    rows: tuple[int, ...] = ()
    collected: tuple[int, ...] = ()
    together: int = 0

    @property
    def end(self) -> int:
        """Where the last turn ends."""
        return self.start + self.length * self.count

    def turn(self, number: int) -> list[Node]:
        """Return the operations of a turn."""
        first = self.start + self.length * number
        return self.nodes[first : first + self.length]

    def calls(self) -> list[Loop]:
        """Return the loops of the calls, one after the other."""
        turns = self.together or self.count
        starts = range(self.start, self.end, turns * self.length)
        return [replace(self, start=start, count=turns, together=0) for start in starts]

    def row(self, operation: int) -> Ref:
        """Return the values of a constant, or what a reading reads, at all turns: a row for each."""
        nodes = self.nodes[self.start + operation : self.end : self.length]
        first = nodes[0]
        if isinstance(first, Join):
            return Ref(first.pieces[0], np.stack([node.offset for node in nodes]))  # type: ignore[attr-defined]
        return whole(constant(np.stack([node.value for node in nodes])))  # type: ignore[attr-defined]

    def state(self, number: int) -> list[Node]:
        """Return what a turn hands on to the next one."""
        first = self.start + self.length * number
        return [self.nodes[first + k] for k in self.carried]


def loop_in(program: Program, long: int = VERY_LONG, products: bool = False) -> Loop | None:
    """Return the longest loop of a program, if it has one that is worth being one.

    From `long` operations on it is one, however few elements they compute; for products alone from half of them on if
    turns read elsewhere, as there is a derivative with respect to each of these readings.
    """
    nodes = [node for node in program.nodes if not isinstance(node, Input)]
    if len(nodes) < min(LONG, SHORTEST):
        return None
    alike = Alike()
    nodes, output = apart(nodes, program.output, alike, LEAST_TURNS)
    place = {node.serial: k for k, node in enumerate(nodes)}
    reads = [tuple(place.get(read.serial, -1 - read.serial) for read in sources(node)) for node in nodes]
    last, inputs = place.get(output.node.serial, -1), {-1 - node.serial: node for node in program.inputs}
    exact, but_for_values = _kinds(nodes, alike)
    for kinds in (but_for_values, exact):
        for length, begin, end in _runs(kinds):
            loop = _loop(nodes, output, reads, length, *_steady(reads, length, begin, end))
            loop = None if loop is None else _ended(loop, reads, last)
            if loop is not None and _fits(loop):
                loop = _in_calls(_from_the_first(loop, kinds, reads, inputs))
                enough = long // 2 if products and any(map(is_reading, loop.turn(0))) else long
                loop = _with_rows(loop, exact) if _worth(loop, enough) else None
                if loop is not None:
                    return loop
    return None


def _worth(loop: Loop, long: int) -> bool:
    turn = loop.turn(0)
    operations = loop.count * sum(not is_reading(node) for node in turn)
    written = loop.count * sum(map(_written, turn))
    work = loop.count * sum(node.size for node in turn)
    # numbers that are read of all turns have derivatives through all turns before theirs, each written for itself
    again = loop.count * operations if loop.collected and max(node.size for node in turn) <= FEW else 0
    is_long = operations >= LONG and (work >= WORK or written >= long)
    return loop.count >= LEAST_TURNS and (is_long or again >= (READ_AGAIN if any(map(is_reading, turn)) else AGAIN))


def _written(node: Node) -> int:
    """Return how many operations an array is written as: short sums of products are, term by term."""
    if is_reading(node):
        return 0
    short = isinstance(node, Sum) and unrolled(node) is not None
    return min(node.terms.index.size, MOST_WRITTEN) if short else 1  # type: ignore[attr-defined]


def _kinds(nodes: Sequence[Node], alike: Alike) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each operation that is equal for operations that are the same but for what they read.

    In the second array it is equal for all constants of a shape, too, and for all readings.
    """
    numbers = dict[object, int]()
    contents = [(n.shape, n.boolean, n.integer, alike.content(n)) for n in nodes]
    exact = np.array([numbers.setdefault(content, len(numbers)) for content in contents])
    any_values = [(n.shape, type(n)) if _may_be_a_row(n) else c for n, c in zip(nodes, contents, strict=True)]
    return exact, np.array([numbers.setdefault(content, len(numbers)) for content in any_values])


def _may_be_a_row(node: Node) -> bool:
    if is_reading(node):
        return not (node.boolean or node.integer)
    return isinstance(node, Constant) and not node.boolean and bool(np.isfinite(node.value).all())


def _with_rows(loop: Loop, exact: np.ndarray) -> Loop | None:
    """Return the loop, which knows the constants that differ; None where their values are more than values.

    An exponent decides what the derivative is, and a zero among factors which entries there are.
    """
    turns = exact[loop.start : loop.end].reshape(loop.count, loop.length)
    rows = np.flatnonzero((turns != turns[0]).any(axis=0)).tolist()
    return replace(loop, rows=tuple(rows)) if all(_is_a_row(loop, k) for k in rows) else None


def _is_a_row(loop: Loop, k: int) -> bool:
    """Tell whether an operation that is another one at every turn is a row of an array from before the loop."""
    node, after = loop.turn(0)[k], loop.turn(1)[k]
    if isinstance(node, Join):
        return sources(node)[0] is sources(after)[0]
    readers = [n for n in (*loop.turn(0), *loop.turn(1)) if any(read is node for read in sources(n))]
    ops = {n.op.name if isinstance(n, Map) else "" for n in readers}
    values = loop.row(k).node.value  # type: ignore[attr-defined]
    few = values[0].size == 1 and "divide" not in ops  # a number that is zero once closes nothing
    return ops <= SHIFTS or (ops <= FACTORS and (few or bool(np.all(values))))


def _runs(kinds: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield the lengths of a turn that kinds may repeat with, and from where to where they do, the longest first."""
    order = np.argsort(kinds, kind="stable")
    times = np.zeros(kinds.size, np.int64)
    for other in range(1, min(IN_A_TURN, kinds.size - 1) + 1):
        alike = kinds[order][other:] == kinds[order][:-other]
        times += np.bincount((order[other:] - order[:-other])[alike], minlength=kinds.size)
    found = []
    lengths = np.argsort(-times, kind="stable")[:MOST_PERIODS]
    for length in lengths[times[lengths] > 0].tolist():
        edges = np.flatnonzero(np.diff(kinds[length:] == kinds[:-length], prepend=False, append=False))
        spans = np.diff(edges)[::2]
        if spans.size and spans.max() >= (LEAST_TURNS - 1) * length:
            first = int(edges[2 * int(spans.argmax())])
            found.append((length, first, first + int(spans.max()) + length))
    yield from sorted(found, key=lambda run: (run[1] - run[2], run[0]))[:3]


def _steady(reads: Sequence[tuple[int, ...]], length: int, first: int, last: int) -> tuple[int, int, dict[int, object]]:
    """Return the longest part of a run in which operands move on, or stay, in the same way at every turn.

    With it comes which of them do, by operation, from the second turn on.
    """
    best = start = first
    most = 0
    moving: dict[int, object] = {}
    for k in range(first + length, last):
        moving[k] = how = _moves(reads[k], reads[k - length], length)
        if how is None or (k - length >= start + length and moving[k - length] != how):
            start = k - length + 1
        if k + 1 - start > most:
            best, most = start, k + 1 - start
    return best, best + most, moving


def _moves(now: tuple[int, ...], before: tuple[int, ...], length: int) -> tuple[int, ...] | None:
    """Return which operands move on by a turn, and which stay; None where one does neither."""
    found = []
    for a, b in zip(now, before, strict=True):
        if a != b and (b < 0 or a - b != length):
            return None
        found.append(STAYS if a == b else MOVES)
    return tuple(found)


def _loop(
    nodes: list[Node],
    output: Ref,
    reads: Sequence[tuple[int, ...]],
    length: int,
    first: int,
    last: int,
    moving: dict[int, object],
) -> Loop | None:
    """Return the loop of a run: where a turn begins is where the fewest values go from one to the next."""
    if last - first < (LEAST_TURNS + 1) * length:
        return None
    until: dict[int, int] = {}  # by operation of a turn: over how many operations what it computes is read
    stays = -1
    for k in range(first + length, first + 2 * length):
        for read, how in zip(reads[k], moving[k], strict=True):  # type: ignore[call-overload]
            if how == MOVES:
                maker = (read - first) % length
                until[maker] = max(until.get(maker, 0), k - read)
            else:
                stays = max(stays, read)
    live, barred = np.zeros(length), np.zeros(length, np.bool_)
    for maker, far in until.items():
        node = nodes[first + maker]
        crossed = np.arange(maker + 1, maker + far + 1) % length
        np.add.at(live, crossed, node.size)
        barred[crossed] |= node.boolean or node.integer
    begin = int(np.argmin(np.where(barred, np.inf, live)))
    carried = []
    for maker, far in until.items():
        place = (maker - begin) % length
        turns = max(0, 1 + (far - (length - place)) // length)  # that begin before it has been read
        carried += [place - length * turn for turn in range(turns)]
    if barred[begin] or min(carried, default=0) < -MOST_BACK * length:
        return None
    start = first + begin
    start += length * max(0, -(-(stays + 1 - start) // length))
    given = tuple(nodes[start - length + k] for k in sorted(carried))
    return Loop(nodes, output, start, length, (last - start) // length, tuple(sorted(carried)), given)


def _ended(loop: Loop, reads: Sequence[tuple[int, ...]], output: int) -> Loop | None:
    """Return the loop without its last turn if more is read of that one later, or with what is read of all turns."""
    results = {loop.end - loop.length + k for k in loop.carried}
    later = {r for k in range(loop.end, len(reads)) for r in reads[k] if r >= loop.start} | {output}
    inside = {r for r in later if loop.start <= r < loop.end and not isinstance(loop.nodes[r], Constant)}
    if inside <= results:
        return loop
    if min(inside - results) >= loop.end - loop.length:
        return replace(loop, count=loop.count - 1)
    collected = sorted({(r - loop.start) % loop.length for r in inside - results})
    nodes = [loop.turn(0)[k] for k in collected]
    return None if any(n.boolean or n.integer for n in nodes) else replace(loop, collected=tuple(collected))


def _in_calls(loop: Loop) -> Loop:
    """Return the loop in calls of so many turns that what they collect is moved on by few others.

    Turns that are left over come after it.
    """
    turn = loop.turn(0)
    size, computed = sum(turn[k].size for k in loop.collected), sum(node.size for node in turn)
    if not size:
        return loop
    most = max(LEAST_TURNS, min(math.isqrt(MOVED // size), MOVED_ON * computed // size))
    if loop.count <= 2 * most:
        return loop
    together = min(range(most, most // 2, -1), key=lambda turns: loop.count % turns)
    return replace(loop, count=loop.count - loop.count % together, together=together)


def _fits(loop: Loop) -> bool:
    """Tell whether what the first turn is given can be the state before it."""
    turn = loop.turn(0)
    pairs = ((node, turn[k % loop.length]) for node, k in zip(loop.given, loop.carried, strict=True))
    return bool(loop.carried) and loop.count >= LEAST_TURNS and all(_alike(a, b) for a, b in pairs)


def _alike(given: Node, state: Node) -> bool:
    known = isinstance(state, Constant)  # is a row where it is read, and decides what its readers may be
    return given.size == state.size and not (given.boolean or given.integer or known)


def _from_the_first(
    loop: Loop, kinds: np.ndarray, reads: Sequence[tuple[int, ...]], inputs: Mapping[int, Node]
) -> Loop:
    """Return the loop with the turn before it, if that differs only in where the state comes from."""
    length, begin = loop.length, loop.start - loop.length
    if begin < 0 or (kinds[begin : loop.start] != kinds[loop.start : loop.start + length]).any():
        return loop
    # what the turn before it handed on is given to this one, where the next one reads it
    given = {k: begin - length + k for k in loop.carried if k - length in loop.carried}
    for k in range(begin, loop.start):
        for before, now, later in zip(reads[k], reads[k + length], reads[k + 2 * length], strict=True):
            if now == later or now >= loop.start:  # the same at every turn, or of the same turn
                expected = now if now == later else now - length
            else:
                expected = given.setdefault(now - begin, before)
            if before != expected:
                return loop
    if set(given) != set(loop.carried) or max(given.values()) >= begin:
        return loop
    found = [given[k] for k in loop.carried]
    earlier = tuple(inputs[k] if k < 0 else loop.nodes[k] for k in found)
    longer = replace(loop, start=begin, count=loop.count + 1, given=earlier)
    return longer if _fits(longer) else loop
