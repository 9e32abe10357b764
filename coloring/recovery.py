"""Where each stored entry of a matrix is found in its compressed form."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import kernels, values
from .cached import cached_property
from .errors import ColoringError
from .graph import Graph
from .orientation import Orientation
from .pattern import SparsityPattern
from .sizes import index_dtype


def _none() -> np.ndarray:
    return np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class RecoveryPlan:
    """The steps from compressed matrices to the values of the stored entries, in row order.

    Built once per coloring.  It works on plain arrays and accepts the compressed matrix as a whole
    (`decompress`) or a block of colors at a time (`decompress_block` for every block, then `finish`), so
    that no more than one block need exist at any time.

    Attributes
    ----------
    line, color : ndarray of int, shape (nnz,)
        Entry ``k`` is read at ``B_column[line[k], color[k]]`` where ``color[k] >= 0``, else at
        ``B_row[~color[k], line[k]]``.  Here ``B_column = A S``, shape (m, num_column_colors), and
        ``B_row = Sᵀ A``, shape (num_row_colors, n).
    num_column_colors, num_row_colors : int
        Passes of either kind.
    taken, feeds : ndarray of int
        Substitution, empty in direct recovery: entry ``taken[t]`` is subtracted from ``feeds[t]``.
    source, target : ndarray of int
        Entries to copy to the other triangle after substitution.

    Examples
    --------
    >>> import coloring, numpy as np
    >>> A = np.diag([1.0, 2.0, 3.0])
    >>> plan = coloring.color(A).plan
    >>> out = np.empty(3)
    >>> plan.decompress_block(np.array([[1.0], [2.0], [3.0]]), 0, out)
    >>> plan.finish(out)
    >>> out
    array([1., 2., 3.])
    """

    line: np.ndarray
    color: np.ndarray
    num_column_colors: int
    num_row_colors: int
    taken: np.ndarray = field(default_factory=_none)
    feeds: np.ndarray = field(default_factory=_none)
    source: np.ndarray = field(default_factory=_none)
    target: np.ndarray = field(default_factory=_none)

    def decompress(self, B_column: np.ndarray | None, B_row: np.ndarray | None, out: np.ndarray) -> None:
        """Write all values to `out`, shape (nnz,); a side without colors may be None."""
        self._check_out(out)
        given = B_column if B_column is not None else B_row
        nothing = np.empty((0, 0), out.dtype if given is None else given.dtype)
        B_column = nothing if B_column is None else B_column
        B_row = nothing if B_row is None else B_row
        self._check_side("column", B_column.shape[0], B_column.shape[1], self.num_column_colors)
        self._check_side("row", B_row.shape[1], B_row.shape[0], self.num_row_colors)
        values.gather(self.line, self.color, B_column, B_row, out)
        self.finish(out)

    def decompress_block(self, B_block: np.ndarray, first_color: int, out: np.ndarray, side: str = "column") -> None:
        """Write to `out` what the colors ``first_color, first_color + 1, ...`` of one side hold.

        Parameters
        ----------
        B_block : ndarray
            Columns ``first_color`` and following of ``B_column``, shape (m, width), or with
            ``side="row"`` rows of ``B_row``, shape (width, n).  Any strides.
        first_color : int
            First color of the block.
        out : ndarray, shape (nnz,)
            Values; entries of other colors are left as they are.  Call `finish` after the last block.
        side : {"column", "row"}
            Which compressed matrix the block belongs to.
        """
        if side == "row":
            B_block = B_block.T
        start, entry = self._entries_by_color(side)
        if first_color < 0 or first_color + B_block.shape[1] > start.size - 1:
            raise ColoringError(
                f"a block of colors {first_color} to {first_color + B_block.shape[1] - 1}; "
                f"this coloring has {start.size - 1} {side} colors"
            )
        self._check_out(out)
        self._check_side(side, B_block.shape[0], B_block.shape[1], 0)
        values.gather_block(start, entry, self.line, B_block, first_color, out)

    def finish(self, out: np.ndarray) -> None:
        """Substitute and mirror, after all blocks have been read; nothing to do in direct recovery."""
        self._check_out(out)
        if self.taken.size:
            values.substitute(self.taken, self.feeds, out)
        if self.source.size:
            out[self.target] = out[self.source]

    def _check_out(self, out: np.ndarray) -> None:
        if out.shape != self.line.shape or not out.flags.writeable:
            what = "read-only values" if out.shape == self.line.shape else f"values of shape {out.shape}"
            raise ColoringError(f"{what} for {self.line.size} entries; expected one for each, that can be written to")

    def _check_side(self, side: str, lines: int, colors: int, num_colors: int) -> None:
        """Refuse a compressed matrix in which an entry would be read beyond the end."""
        if lines < self._num_lines[side] or colors < num_colors:
            raise ColoringError(
                f"a compressed matrix of {colors} {side} colors, with {lines} values of each; entries are read from "
                f"{max(num_colors, colors)} colors and {self._num_lines[side]} values"
            )

    @cached_property
    def _num_lines(self) -> dict[str, int]:
        """Number of lines of each compressed matrix up to the last that is read."""
        by_column = self.color >= 0
        return {
            "column": int(self.line[by_column].max(initial=-1)) + 1,
            "row": int(self.line[~by_column].max(initial=-1)) + 1,
        }

    def _entries_by_color(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        return self._column_entries if side == "column" else self._row_entries

    @cached_property
    def _column_entries(self) -> tuple[np.ndarray, np.ndarray]:
        return _by_color(np.flatnonzero(self.color >= 0), self.color, self.num_column_colors)

    @cached_property
    def _row_entries(self) -> tuple[np.ndarray, np.ndarray]:
        return _by_color(np.flatnonzero(self.color < 0), ~self.color, self.num_row_colors)


def _by_color(entries: np.ndarray, color: np.ndarray, num_colors: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries sorted by color, so that a block of colors touches its own entries only."""
    entries = entries.astype(index_dtype(color.size))
    start = np.zeros(num_colors + 1, entries.dtype)
    by_color = kernels.patterns.compress_rows(color[entries], entries, num_colors, start)
    return start, by_color


def column_plan(A: SparsityPattern, colors: np.ndarray, num_colors: int) -> RecoveryPlan:
    """Entry (i, j) stands alone in row i of the color of column j."""
    return RecoveryPlan(A.rows, colors[A.indices], num_colors, 0)


def row_plan(A: SparsityPattern, colors: np.ndarray, num_colors: int) -> RecoveryPlan:
    """Entry (i, j) stands alone in column j of the color of row i."""
    return RecoveryPlan(A.indices, ~colors[A.rows], 0, num_colors)


def symmetric_plan(
    A: SparsityPattern, graph: Graph, colors: np.ndarray, orientation: Orientation, num_colors: int
) -> RecoveryPlan:
    """Both entries of an edge are read in the row of its leaf, at the color of its parent."""
    line, color = A.rows.copy(), colors[A.indices]  # right for the diagonal
    lists = graph.indptr, graph.indices, graph.entry, graph.edge
    kernels.plans.symmetric_sources(*lists, graph.items, orientation.item, colors, line, color)
    if not orientation.taken.size:
        return RecoveryPlan(line, color, num_colors, 0)
    upper, lower = graph.entry[graph.items[:, 0]], graph.entry[graph.items[:, 1]]
    feeds = np.where(orientation.feeds >= 0, upper[orientation.feeds], -1).astype(upper.dtype)
    return RecoveryPlan(line, color, num_colors, 0, upper[orientation.taken], feeds, upper, lower)


def bidirectional_plan(A: SparsityPattern, graph: Graph, colors: np.ndarray, orientation: Orientation) -> RecoveryPlan:
    """An entry is read in its row if its column is the parent, else in its column."""
    n = graph.num_first
    line, color = np.empty_like(A.indices), np.empty(A.nnz, np.int32)
    lists = graph.indptr, graph.indices, graph.entry, graph.edge
    kernels.plans.bidirectional_sources(*lists, orientation.item, colors, n, line, color)
    counts = [int(side.max(initial=-1)) + 1 for side in (colors[:n], colors[n:])]
    entry = graph.entry[graph.items[:, 0]]
    feeds = np.where(orientation.feeds >= 0, entry[orientation.feeds], -1).astype(entry.dtype)
    return RecoveryPlan(line, color, counts[0], counts[1], entry[orientation.taken], feeds)
