"""The pattern of a linear program: every place that a term can reach, for every x."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from coloring import SparsityPattern
from sparsead.kernels.diagonals import by_diagonals
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer
from sparsead.kernels.linear import LinearKernel, LinearProgram, Term, with_terms
from sparsead.memory import NoRoomError, is_large, require
from sparsead.program.index import nothing

MOST_ENTRIES = 2**31 - 1  # of one pattern
BYTES_PER_ENTRY = 12  # of a boolean product and the pattern made of it
BYTES_PER_TERM = 16  # and point: row and column, gathered and sorted
SAMPLE_ROWS = 16  # of a recurrence, from which the size of its pattern is judged
Maps = tuple[IndexMap, IndexMap]  # of a term: to its rows, and to its columns
PRODUCTS = "use products (jvp, vjp) of a smaller part, or split the function before the step that couples everything"


def detect(linear: LinearProgram) -> dict[Buffer, SparsityPattern]:
    """Return the pattern of every buffer that the program writes, (buffer size, source size).

    Conservative, never missing an entry. Coefficients that fold to a structural zero leave no term, so they leave no
    entry. The target always has a pattern, if an empty one; that of a Hessian has room for every term and for its
    mirror image.
    """
    patterns: dict[Buffer, SparsityPattern] = {}
    writers: dict[Buffer, list[tuple[LinearKernel, Term]]] = {}
    for kernel in with_terms(linear.kernels):
        for term in kernel.terms:  # the last writer decides the order: only then is a buffer complete
            writers[term.target] = writers.pop(term.target, [])
            writers[term.target].append((kernel, term))

    def find(target: Buffer) -> SparsityPattern:
        if target not in patterns:
            for _, term in writers[target]:
                if term.source not in (linear.source, target):
                    find(term.source)
            patterns[target] = _pattern_of(target, writers[target], linear.source, patterns)
        return patterns[target]

    for target in writers:
        find(target)
    empty = SparsityPattern.from_coo(nothing(), nothing(), (linear.target.size, linear.source.size))
    patterns = {linear.target: empty} | patterns
    found = patterns[linear.target]
    if linear.symmetric and found != found.T:
        patterns[linear.target] = _union(found, found.T)
    return patterns


def _pattern_of(
    target: Buffer, terms: list[tuple[LinearKernel, Term]], x: Buffer, known: dict[Buffer, SparsityPattern]
) -> SparsityPattern:
    """Union of what each term reads: columns of x at once, rows of an intermediate through its pattern."""
    points = sum(math.prod(kernel.domain) for kernel, _ in terms)
    require(BYTES_PER_TERM * points, f"the pattern of {points:.2g} partial derivatives", PRODUCTS)
    by_source: dict[Buffer, list[Maps]] = defaultdict(list)
    for _, term in terms:
        by_source[term.source].append((term.place, term.index))
    total: SparsityPattern | None = None
    again: SparsityPattern | None = None
    for source, maps in by_source.items():
        read = _pattern_of_maps(maps, (target.size, source.size))
        if source is target:
            again = read
            continue
        part = read if source is x else _through(read, known[source])
        total = part if total is None else _union(total, part)
    if total is None:  # a recurrence whose first elements do not depend on x
        return SparsityPattern.from_coo(nothing(), nothing(), (target.size, x.size))
    return total if again is None else _repeated(again, total)


def _pattern_of_maps(maps: list[Maps], shape: tuple[int, int]) -> SparsityPattern:
    """Return the pattern of terms, given the map to the rows and the one to the columns of each."""
    found = by_diagonals(maps, shape)
    if found is not None:
        return found
    rows, columns = (np.concatenate([m[k].array().reshape(-1) for m in maps]) for k in (0, 1))
    return SparsityPattern.from_coo(rows, columns, shape)


def _repeated(again: SparsityPattern, first: SparsityPattern) -> SparsityPattern:
    """Return the pattern P of a recurrence, P = first + again @ P, where rows read rows computed earlier.

    ``(1 + A + A^2 + ...) first`` in log2(steps) products: ``(1 + A) (1 + A^2) (1 + A^4) ...``; A is nilpotent.
    """
    total, power = _boolean(first), _boolean(again)
    _require_closure(power, total)
    while power.nnz:
        total = total + boolean_product(power, total)
        power = boolean_product(power, power)
    return SparsityPattern.from_scipy(total)


def _require_closure(again: scipy.sparse.csr_array, first: scipy.sparse.csr_array) -> None:
    """Refuse a recurrence whose pattern would not fit, judged by some of its rows, before any product is formed."""
    rows = np.linspace(0, again.shape[0] - 1, SAMPLE_ROWS).astype(np.int64)
    if not is_large(float(again.shape[0]) ** 2 * BYTES_PER_ENTRY):
        return
    weights = again.astype(np.float64)
    counts = []
    for row in rows:
        reached = scipy.sparse.csgraph.breadth_first_order(weights, int(row), return_predecessors=False)
        counts.append(np.count_nonzero(np.bincount(first[reached].indices, minlength=1)))
    _require_entries(float(np.mean(counts)) * again.shape[0], again.shape[0], first.shape[1])


def _through(read: SparsityPattern, inner: SparsityPattern) -> SparsityPattern:
    """Boolean product of patterns."""
    return SparsityPattern.from_scipy(boolean_product(_boolean(read), _boolean(inner)))


def boolean_product(a: scipy.sparse.csr_array, b: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Return a boolean product; refuse one that does not fit, before anything is allocated."""
    most = int(np.diff(b.indptr)[a.indices].sum(dtype=np.int64))
    _require_entries(min(most, a.shape[0] * b.shape[1]), a.shape[0], b.shape[1])
    return a @ b


def _require_entries(entries: float, m: int, n: int) -> None:
    """Refuse a matrix of so many entries, or of up to so many, if it does not fit."""
    what = f"the derivative of an intermediate array, {m} x {n}, with up to {entries:.2g} entries"
    if entries > MOST_ENTRIES:
        raise NoRoomError(
            f"{what} ({BYTES_PER_ENTRY * entries / 2**30:.0f} GiB) is more than one matrix can hold: "
            f"nearly every element depends on nearly every x; {PRODUCTS}"
        )
    require(BYTES_PER_ENTRY * entries, what, PRODUCTS)


def _union(a: SparsityPattern, b: SparsityPattern) -> SparsityPattern:
    return SparsityPattern.from_scipy(_boolean(a) + _boolean(b))


def _boolean(pattern: SparsityPattern) -> scipy.sparse.csr_array:
    return pattern.to_scipy().astype(np.bool_)
