"""Which intermediate arrays direct accumulation does without, by counted operations.

Sparse rows of an intermediate array cost an initial value, an addition per coefficient and a multiple per reader.
Where readers and writers meet in few pairs, the pairs cost less: each is one product that goes on to its entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from coloring.words import several
from sparsead.kernels.alignment import FEWEST
from sparsead.kernels.composition import Eliminator
from sparsead.kernels.kernel import Buffer, Kernel
from sparsead.kernels.linear import LinearKernel, LinearProgram, reached
from sparsead.kernels.merging import merged_steps
from sparsead.sweeps.direct.counting import Counts, Patterns
from sparsead.sweeps.direct.equal_blocks import one_of_equals

MOST_ARRAYS = 64  # programs with more of them are left as they are: a loop over time, for the most part
BEYOND, IN_A_ROW = 1.25, 6  # the way ends at so many times the cost before, or after so many that are no better
EQUAL = 0.05  # share by which programs side by side may differ from the first one
WORTH = 0.99  # of the cost before, at most: counts are no more exact than that
MOST_CODE = 1000  # products of two terms that may be written, for one array
MOST_TERMS = 500  # that may be written in all, where there were not half as many before
MOST_OPERATIONS = 8000  # that may be written in all, likewise: more takes longer to compile than it can save
MOST_GROWTH = 4.0  # products that may be formed, times the entries of the matrix and the terms at hand


@dataclass(frozen=True)
class Elimination:
    """A linear program without some intermediate arrays; their names, and what it costs instead of what before."""

    linear: LinearProgram
    arrays: tuple[str, ...]
    cost: float
    before: float

    def __str__(self) -> str:
        if not self.arrays:
            return ""
        arrays = several(len(self.arrays), "intermediate array")
        return f"without {arrays}: {self.cost:.3g} operations instead of {self.before:.3g}"


def eliminated(linear: LinearProgram, patterns: Patterns) -> Elimination:
    """Return the program without the intermediate arrays that cost more than they save.

    One array after the other: the one with the fewest pairs of readers and writers first, the order of Markowitz, and
    then again from the last array back to the first. Of all programs on the two ways the cheapest one is taken; a way
    ends where programs have become dearer.
    """
    way = linear.known.get("way")
    if way is None or way.kernels is not linear.kernels or way.patterns is not patterns:
        way = linear.known["way"] = _Way(linear.kernels, patterns, *_cheapest(linear, patterns))
    if not way.gone:
        return Elimination(linear, (), way.cost, way.before)
    return Elimination(_without(linear, way.left, way.stored), way.gone, way.cost, way.before)


@dataclass(frozen=True, eq=False)
class _Way:
    """What was found for the `kernels` of a program, whatever its primal ones: those that are left, what they read."""

    kernels: tuple[LinearKernel, ...]
    patterns: Patterns
    left: tuple[LinearKernel, ...]
    stored: tuple[Kernel, ...]
    gone: tuple[str, ...]
    cost: float
    before: float


Found = tuple[tuple[LinearKernel, ...], tuple[Kernel, ...], tuple[str, ...], float, float]


def _cheapest(linear: LinearProgram, patterns: Patterns) -> Found:
    """Return the kernels that cost least, those of coefficients that they read, and what that does without.

    Where a program is many equal ones side by side, it is decided for one of them what to do without.
    """
    counts = Counts(linear, patterns)
    before = counts.cost(linear)
    best: Found = linear.kernels, (), (), before, before
    if linear.absorbing or not 0 < len(linear.work) <= MOST_ARRAYS or any(k.ordered for k in linear.kernels):
        return best
    one = one_of_equals(linear, patterns)
    of_one = counts if one is None else Counts(one.linear, one.patterns)
    alone = math.inf if one is None else of_one.cost(one.linear)
    if one is None or not math.isclose(one.count * alone, before, rel_tol=EQUAL):
        return _cheaper(linear, patterns, best, counts)
    nothing: Found = one.linear.kernels, (), (), alone, alone
    gone = _cheaper(one.linear, one.patterns, nothing, of_one, FEWEST / one.count)[2]
    by_name = {buffer.name: buffer for buffer in linear.work}
    return _on_the_way(linear, patterns, [by_name[name] for name in gone], _first, best, counts) if gone else best


def _cheaper(linear: LinearProgram, patterns: Patterns, start: Found, counts: Counts, fewest: float = FEWEST) -> Found:
    """Return what is cheapest on the two ways, if that is worth it."""
    orders = (_fewest_pairs, _last)[: len(linear.work)]  # of a single array there is but one
    ways = (_on_the_way(linear, patterns, list(linear.work), order, start, counts, fewest) for order in orders)
    best = min(ways, key=lambda found: found[3])
    return best if best[3] < WORTH * start[3] else start


Order = Callable[[Counts, list[LinearKernel], list[Buffer]], Buffer]


def _fewest_pairs(counts: Counts, kernels: list[LinearKernel], left: list[Buffer]) -> Buffer:
    """Return the next array in the order of Markowitz."""
    products = {buffer: counts.pairs(kernels, buffer) for buffer in left}
    return min(left, key=lambda b: products[b][0] - products[b][1])


def _last(_: Counts, __: list[LinearKernel], left: list[Buffer]) -> Buffer:
    """Return the next array in the order of reverse mode, which adds up what several readers make of an array."""
    return left[-1]


def _first(_: Counts, __: list[LinearKernel], left: list[Buffer]) -> Buffer:
    """Return the next array in an order that is given."""
    return left[0]


def _on_the_way(
    linear: LinearProgram,
    patterns: Patterns,
    left: list[Buffer],
    order: Order,
    start: Found,
    counts: Counts,
    fewest: float = FEWEST,
) -> Found:
    """Return the cheapest program that is met when arrays go in some order."""
    best, before = start, start[4]
    gone: list[str] = []
    kernels, eliminator = list(linear.kernels), Eliminator(fewest=fewest)
    terms, operations = counts.length(kernels)
    longest, largest = max(MOST_TERMS, 2 * terms), max(MOST_OPERATIONS, 2 * operations)
    most = MOST_GROWTH * (patterns[linear.target].nnz + sum(math.prod(k.domain) * len(k.terms) for k in kernels))
    while left:
        buffer = order(counts, kernels, left)
        if counts.pairs(kernels, buffer)[0] > most or counts.code(kernels, buffer) > MOST_CODE:
            break
        left.remove(buffer)
        gone.append(buffer.name)
        kernels = reached(eliminator.without(buffer, kernels), linear.source)
        terms, operations = counts.length(kernels)
        if terms > longest or operations > largest:
            break
        cost = counts.cost(replace(linear, kernels=tuple(kernels), known={}), eliminator.stored)
        if cost < best[3]:
            best = tuple(kernels), tuple(eliminator.stored), tuple(gone), cost, before
        elif cost > BEYOND * before or len(gone) - len(best[2]) >= IN_A_ROW:
            break
    return best


def _without(linear: LinearProgram, kernels: Iterable[LinearKernel], stored: Iterable[Kernel]) -> LinearProgram:
    primal = replace(linear.primal, kernels=tuple(merged_steps([*linear.primal.kernels, *stored])))
    return replace(linear, kernels=tuple(kernels), primal=primal, symmetric=False, known={})
