"""Which products give the entries of a derivative: columns, or rows, that share no row (or column) go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import coloring as graph
from coloring import SparsityPattern

NEARLY = 1.1

Pass = tuple[np.ndarray, np.ndarray, np.ndarray]  # seeded elements; entries, and where in the product each is found


@dataclass(frozen=True)
class Recovery:
    """Products with the matrix (`by_column`) or with its transpose, and the entries that each of them holds."""

    passes: Sequence[Pass]
    by_column: bool


def recovery(pattern: SparsityPattern) -> Recovery:
    """Return the fewer products of the two kinds, or nearly.

    A full row needs as many colors as there are columns: nothing has to be colored then, unless by rows it takes fewer.
    """
    (m, n), rows, columns = pattern.shape, pattern.rows, pattern.indices
    if not pattern.nnz:
        return Recovery((), True)
    by_column, by_row = int(np.bincount(rows).max()), int(np.bincount(columns).max())  # colors that are needed
    if by_column == n <= NEARLY * by_row:
        return Recovery(_passes(np.arange(n), columns, rows), True)
    if by_row == m <= NEARLY * by_column:
        return Recovery(_passes(np.arange(m), rows, columns), False)
    found = [graph.color(pattern, partition=side) for side in ("column", "row")]
    if found[0].num_colors <= found[1].num_colors:
        return Recovery(_passes(np.asarray(found[0].colors), columns, rows), True)
    return Recovery(_passes(np.asarray(found[1].colors), rows, columns), False)


def _passes(colors: np.ndarray, seeded: np.ndarray, elements: np.ndarray) -> list[Pass]:
    """Return the passes of a coloring, given the seeded and the other coordinate of each entry."""
    count = int(colors.max()) + 1
    order = np.argsort(colors[seeded], kind="stable")
    ends = np.searchsorted(colors[seeded], np.arange(1, count), sorter=order)
    entries = np.split(order, ends)
    return [(np.flatnonzero(colors == c), e, elements[e]) for c, e in enumerate(entries)]
