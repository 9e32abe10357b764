"""Normal equations: ``J.T @ W @ J`` and ``J.T @ W @ r`` from the values of a sparse J, in compiled loops over its rows.

Rows of one length with equal columns in pairs, triples, .. (the coordinates of one observation) are points of one
loop, in which all products of a row are written out: they go straight to their entries, and J's values are read once.
Of the products of long rows there is a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import Buffer, Kernel, Kernels, Load, Store, zeros
from sparsead.kernels.linear import LinearKernel, LinearProgram, Term
from sparsead.memory import require
from sparsead.program.index import IndexArray, narrowed
from sparsead.program.scalar import Expr, Pool
from sparsead.sweeps.direct.slots import Slots
from sparsead.sweeps.direct.sweep import direct_sweep
from sparsead.sweeps.finishing import mirroring

MOST_COLUMNS = 16  # entries of a row up to which its products are written out
MOST_ROWS = 4  # rows with equal columns that make up one point of a loop
FEWEST = 16  # points from which on a loop of their own pays
BYTES_PER_PRODUCT = 60  # bytes for each product while its place is looked up: row, column, place
TRIANGLES = ("full", "lower", "upper")


def normal_pattern(pattern: SparsityPattern, triangle: str) -> SparsityPattern:
    """Return the pattern of ``J.T @ J``, or of a triangle of it with the diagonal."""
    lengths = np.diff(pattern.indptr).astype(np.float64)
    require(
        BYTES_PER_PRODUCT * float(lengths @ lengths), "the products of J.T @ J", "solve with J itself, or its products"
    )
    boolean = pattern.to_scipy().astype(np.bool_)
    whole = SparsityPattern.from_scipy(boolean.T @ boolean)
    rows, columns = whole.rows, whole.indices
    match triangle:
        case "full":
            return whole
        case "lower":
            kept = columns <= rows
        case _:
            kept = columns >= rows
    return SparsityPattern.from_coo(rows[kept], columns[kept], whole.shape)


def normal_sweeps(
    pattern: SparsityPattern,
    product: SparsityPattern,
    triangle: str = "full",
    weighted: bool = False,
    right: bool = False,
    engine: Engine = DEFAULT_ENGINE,
) -> list[Sweep]:
    """Return the sweeps ``(v, weights, r) -> data, g``, to be run one after the other.

    Parameters
    ----------
    pattern, product : SparsityPattern
        Of J, (m, n), and of the result: `normal_pattern`.
    triangle : {"full", "lower", "upper"}
        Which entries of the result are wanted.
    weighted, right : bool
        Whether there are weights, (m,), and a residual r, (m,), for ``g = J.T @ W @ r``, (n,).
    engine : Engine
        See `Sweep`.
    """
    products = _Products(pattern, product, triangle, weighted, right)
    linear = products.program()
    sweep = direct_sweep(linear, {linear.target: product}, "normal", engine)
    return [sweep, *(mirroring(product, engine, known=products.known).sweeps if triangle == "full" else [])]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of J that are points of one loop, (points, rows of a point), and their columns, (points, columns)."""

    rows: IndexArray
    columns: IndexArray


def row_groups(pattern: SparsityPattern) -> Iterator[_Rows]:
    """Group the rows by length, then those with equal columns, a few at a time; rows without entries are left out."""
    lengths = np.diff(pattern.indptr)
    for length in np.unique(lengths[lengths > 0]):
        rows = narrowed(np.flatnonzero(lengths == length))
        columns = pattern.indices[pattern.indptr[rows][:, None] + np.arange(length)]
        if length > MOST_COLUMNS:
            yield _Rows(rows[:, None], columns)
            continue
        yield from _equal_rows(rows, columns)


def _equal_rows(rows: IndexArray, columns: IndexArray) -> Iterator[_Rows]:
    """Put rows with equal columns together, at most a few, in the order of the first of each."""
    _, group = np.unique(columns, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(rows.size) - np.repeat(begins, np.diff(begins, append=rows.size))
    first = np.flatnonzero(rank % MOST_ROWS == 0)
    counts = np.diff(first, append=rows.size)
    for count in np.unique(counts):
        members = order[first[counts == count][:, None] + np.arange(count)]
        members = members[np.argsort(members[:, 0])]
        yield _Rows(rows[members], columns[members[:, 0]])


class _Products:
    """Builds the linear program of the products, whose coefficients read the values of J."""

    def __init__(
        self, pattern: SparsityPattern, product: SparsityPattern, triangle: str, weighted: bool, right: bool
    ) -> None:
        m, n = pattern.shape
        self.pattern, self.triangle = pattern, triangle
        self.slots = Slots(product)
        self.known = np.zeros(product.nnz, dtype=np.bool_)  # entries above the diagonal that are stored as below it
        self.values = Buffer("v", pattern.nnz, "input")
        self.weights = Buffer("weights", m, "input") if weighted else None
        self.residual = Buffer("r", m, "input") if right else None
        self.x, self.rows, self.right = Buffer("x", n, "input"), Buffer("N", n, "output"), Buffer("g", n, "output")

    def program(self) -> LinearProgram:
        """Return the program of all rows."""
        products: list[LinearKernel] = []
        sums: list[Kernel] = []
        groups = list(row_groups(self.pattern))
        points = self.points(groups)
        for group in groups:
            if self.residual is not None:
                sums.append(self.sums(group))
            if group.columns.shape[1] > MOST_COLUMNS or len(group.rows) < FEWEST:
                products.append(self.listed(group))
            else:
                products.append(self.written_out(group, points))
        if self.residual is not None and not sums:
            sums.append(zeros(self.right))
        primal = Kernels(self.x, self.right, (), tuple(sums))
        return LinearProgram(self.x, self.rows, tuple(products), primal)

    def value(self, pool: Pool, entries: IndexArray) -> Expr:
        """Return entries of J, one a point."""
        return pool.leaf(Load(self.values, recognise(narrowed(entries))))

    def weighed(self, pool: Pool, rows: IndexArray, value: Expr) -> Expr:
        """Return entries of J times the weights of their rows."""
        if self.weights is None:
            return value
        return pool.leaf(Load(self.weights, recognise(narrowed(rows)))) * value

    def term(self, row: IndexMap, coefficient: Expr, column: IndexMap) -> Term:
        """Return the term of a product below the diagonal, or of its mirror image in the upper triangle."""
        row, column = (column, row) if self.triangle == "upper" else (row, column)
        return Term(self.rows, row, coefficient, self.x, column)

    def points(self, groups: Sequence[_Rows]) -> np.ndarray:
        """Return of how many points of the loops each entry of the product is made; none if nothing is mirrored."""
        if self.triangle != "full" or not groups:
            return np.empty(0)
        columns = np.concatenate([group.columns.reshape(-1) for group in groups])
        lengths = np.concatenate([np.full(len(group.columns), group.columns.shape[1]) for group in groups])
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        read = scipy.sparse.csr_array((np.ones(columns.size), columns, indptr), shape=(lengths.size, self.x.size))
        found = scipy.sparse.csr_array(read.T @ read)
        found.sort_indices()
        return found.data

    def mirrored(self, row: IndexMap, coefficient: Expr, column: IndexMap, points: np.ndarray) -> list[Term]:
        """Return a term and, where nothing else adds to its entries, its mirror image, which then is stored as well."""
        term = self.term(row, coefficient, column)
        if not points.size or row is column:
            return [term]
        entries = self.slots.find(column.array(), row.array())
        if (points[entries] > 1).any():
            return [term]
        self.known[entries] = True
        return [term, self.term(column, coefficient, row)]

    def written_out(self, group: _Rows, points: np.ndarray) -> LinearKernel:
        """Return the products of rows, a point for those with equal columns."""
        pool, starts = Pool(), self.pattern.indptr[group.rows]
        count = group.columns.shape[1]
        values = [[self.value(pool, start + k) for k in range(count)] for start in starts.T]
        weighed = [[self.weighed(pool, rows, v) for v in line] for rows, line in zip(group.rows.T, values, strict=True)]
        maps = [recognise(narrowed(group.columns[:, k])) for k in range(count)]
        terms: list[Term] = []
        for a in range(count):
            for b in range(a + 1):
                total = pool.constant(0.0)
                for first, second in zip(weighed, values, strict=True):
                    total = total + first[a] * second[b]
                terms += self.mirrored(maps[a], total, maps[b], points)
        return LinearKernel((len(group.rows),), tuple(terms))

    def listed(self, group: _Rows) -> LinearKernel:
        """Return the products of rows, a point for each pair of entries."""
        a, b = np.tril_indices(group.columns.shape[1])
        rows, pool = np.repeat(group.rows.reshape(-1), a.size), Pool()
        columns = np.repeat(group.columns, group.rows.shape[1], axis=0)
        starts = self.pattern.indptr[rows]
        first = self.weighed(pool, rows, self.value(pool, starts + np.tile(a, group.rows.size)))
        coefficient = first * self.value(pool, starts + np.tile(b, group.rows.size))
        row, column = (recognise(narrowed(columns[:, k].reshape(-1))) for k in (a, b))
        return LinearKernel(rows.shape, (self.term(row, coefficient, column),))

    def sums(self, group: _Rows) -> Kernel:
        """Return what the rows add to ``J.T @ W @ r``: a point for each entry of long rows, else each row."""
        assert self.residual is not None
        pool, count = Pool(), group.columns.shape[1]
        rows, columns = group.rows, group.columns
        if count > MOST_COLUMNS:
            rows = np.repeat(rows.reshape(-1), count)[:, None]
            entries = self.pattern.indptr[rows[:, 0]] + np.tile(np.arange(count), len(group.rows))
            columns, lines = columns.reshape(-1, 1), [[entries]]
        else:
            lines = [[start + k for k in range(count)] for start in self.pattern.indptr[rows].T]
        residuals = [self.weighed(pool, line, pool.leaf(Load(self.residual, recognise(line)))) for line in rows.T]
        stores = []
        for k in range(columns.shape[1]):
            total = pool.constant(0.0)
            for residual, entries in zip(residuals, lines, strict=True):
                total = total + self.value(pool, entries[k]) * residual
            stores.append(Store(self.right, recognise(narrowed(columns[:, k])), total, adds=True))
        return Kernel((len(rows),), tuple(stores))
