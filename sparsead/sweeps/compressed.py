"""Compressed sweeps: one lane per color, recovered straight into the data of the CSR matrix.

The seed of color c is 1 at the columns of color c, so a seed is never stored: a coefficient at column j goes to
lane ``colors[j]``. Lanes of intermediate buffers are processed in blocks of colors. Where each row is computed at one
point of one kernel, the row of the compressed matrix lives in a few numbers next to that point and is recovered there;
elsewhere the block ``J S`` is kept, rows x block, and recovered once it is complete.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from sparsead.emit.source import Nest, Source
from sparsead.emit.sweep import DEFAULT_BACKEND, Sweep
from sparsead.kernels.kernel import Buffer, LinearKernel, LinearProgram, Term
from sparsead.sweeps.vector import by_place, work_sizes, write_value, write_zeros

LANE_BUDGET = 1 << 28  # bytes for the lanes of intermediate buffers
MAX_LANES = 32


@dataclass(frozen=True)
class Lanes:
    """How the colors are processed: `blocks` blocks of `width` lanes each."""

    num_colors: int
    width: int

    @property
    def blocks(self) -> int:
        """Number of blocks; each is one pass over the kernels."""
        return -(-self.num_colors // self.width) if self.num_colors else 0


def plan_lanes(num_colors: int, rows_in_lanes: int) -> Lanes:
    """Choose the block width: all colors at once if the lanes fit the budget, else even blocks."""
    if not rows_in_lanes or num_colors <= 1:
        return Lanes(num_colors, max(num_colors, 1))
    fitting = min(max(LANE_BUDGET // (8 * rows_in_lanes), 4), MAX_LANES)
    blocks = -(-num_colors // fitting)
    width = -(-num_colors // blocks)
    return Lanes(num_colors, width if width <= 4 else -(-width // 4) * 4)


class _Writer:
    """Writes one compressed sweep."""

    def __init__(self, linear: LinearProgram, num_colors: int, with_value: bool) -> None:
        self.linear = linear
        self.rowwise = rows_complete(linear)
        laned = [*linear.work] if self.rowwise else [*linear.work, linear.target]
        self.lanes = plan_lanes(num_colors, sum(b.size for b in laned))
        self.single = self.lanes.blocks <= 1
        self.laned = laned
        self.source = Source("value_and_jacobian" if with_value else "jacobian")
        self.counter = itertools.count()

    @property
    def sizes(self) -> dict[str, int]:
        """Work arrays: lanes of the buffers, and of one row."""
        width = self.lanes.width
        return {f"d{b.name}": b.size * width for b in self.laned} | {"lane": width}

    def write(self) -> None:
        source = self.source
        if self.single:
            self.write_block()
            return
        with source.block(f"for block in range({self.lanes.blocks}):"):
            source.write(f"first = {self.lanes.width} * block")
            self.write_block()

    def write_block(self) -> None:
        source, width = self.source, self.lanes.width
        for buffer in self.laned:
            write_zeros(source, source.buffer(buffer, tangent=True), buffer.size * width)
        for kernel in self.linear.kernels:
            self.write_kernel(kernel)
        if not self.rowwise:
            self.write_recovery()

    def write_kernel(self, kernel: LinearKernel) -> None:
        nest = Nest(self.source, kernel.domain, self.counter)
        groups = [
            (self.to_row if self.is_row(g[0]) else self.to_lanes, _Group(g, nest, self)) for g in by_place(kernel.terms)
        ]
        with nest.body():
            for write, group in groups:
                write(group)

    def is_row(self, term: Term) -> bool:
        return self.rowwise and term.target is self.linear.target

    # -- one group of terms at one point ----------------------------------------------------------------------
    def to_lanes(self, group: _Group) -> None:
        """Add the terms to the lanes of their target."""
        source, target = self.source, group.target
        source.write(f"{target}_at = {self.lanes.width} * ({group.place})")
        if group.dense:
            with source.block(f"for k in range({self.lanes.width}):"):
                source.write(f"{target}[{target}_at + k] += {group.sum_over_lanes('k')}")
        for coefficient, column in group.seeds:
            self.seed(f"{target}[{target}_at + c]", column, coefficient)

    def to_row(self, group: _Group) -> None:
        """Form the row in lanes and recover its entries from there."""
        source = self.source
        source.array("lane")
        source.write(f"begin = {source.array('indptr', 'i4')}[{group.place}]")
        source.write(f"end = {source.array('indptr', 'i4')}[{group.place} + 1]")
        if group.dense:
            with source.block(f"for k in range({self.lanes.width}):"):
                source.write(f"lane[k] = {group.sum_over_lanes('k')}")
        elif self.single:
            with source.block("for e in range(begin, end):"):
                source.write(f"lane[{source.array('color_of', 'i4')}[e]] = 0.0")
        else:
            with source.block(f"for k in range({self.lanes.width}):"):
                source.write("lane[k] = 0.0")
        for coefficient, column in group.seeds:
            self.seed("lane[c]", column, coefficient)
        self.recover("lane[c]")

    def seed(self, target: str, column: str, coefficient: str) -> None:
        """Add a coefficient at a column of J to the lane of the column's color."""
        source, colors = self.source, self.source.array("colors", "i4")
        if self.single:
            source.write(f"{target.replace('c]', f'{colors}[{column}]]')} += {coefficient}")
            return
        source.write(f"c = {colors}[{column}] - first")
        with source.block(f"if 0 <= c < {self.lanes.width}:"):
            source.write(f"{target} += {coefficient}")

    def recover(self, lane: str) -> None:
        """Copy the entries ``begin .. end`` of one row from its lanes."""
        source = self.source
        data, color_of = source.array("data"), source.array("color_of", "i4")
        with source.block("for e in range(begin, end):"):
            if self.single:
                source.write(f"{data}[e] = {lane.replace('c]', f'{color_of}[e]]')}")
                return
            source.write(f"c = {color_of}[e] - first")
            with source.block(f"if 0 <= c < {self.lanes.width}:"):
                source.write(f"{data}[e] = {lane}")

    def write_recovery(self) -> None:
        """Recover all rows from the complete block of the compressed matrix."""
        source, target = self.source, self.linear.target
        name = source.buffer(target, tangent=True)
        with source.block(f"for row in range({target.size}):"):
            source.write(f"begin = {source.array('indptr', 'i4')}[row]")
            source.write(f"end = {source.array('indptr', 'i4')}[row + 1]")
            source.write(f"at = {self.lanes.width} * row")
            self.recover(f"{name}[at + c]")


class _Group:
    """Terms with one place: from the seeds (columns of J), and from lanes of intermediate buffers."""

    def __init__(self, terms: list[Term], nest: Nest, writer: _Writer) -> None:
        self.place = nest.index(terms[0].place)
        self.target = writer.source.buffer(terms[0].target, tangent=True) if not writer.is_row(terms[0]) else ""
        self.width = writer.lanes.width
        self.seeds: list[tuple[str, str]] = []
        self.dense: list[tuple[str, str, str]] = []
        for term in terms:
            coefficient, index = nest.value(term.coefficient), nest.index(term.index)
            if term.source is writer.linear.source:
                self.seeds.append((coefficient, index))
            else:
                self.dense.append((coefficient, writer.source.buffer(term.source, tangent=True), index))

    def sum_over_lanes(self, k: str) -> str:
        return " + ".join(f"{c} * {name}[{self.width} * ({index}) + {k}]" for c, name, index in self.dense)


def rows_complete(linear: LinearProgram) -> bool:
    """Tell whether every row of the target is computed at one point of one kernel only."""
    counts = np.zeros(linear.target.size, dtype=np.int32)
    for kernel in linear.kernels:
        for group in by_place(kernel.terms):
            if group[0].target is linear.target:
                place = group[0].place.array()
                if place.size != int(np.prod(kernel.domain, dtype=np.int64)) or (0 in place.strides and place.size > 1):
                    return False
                np.add.at(counts, place.reshape(-1), 1)
    return bool((counts <= 1).all())


def compressed_sweep(
    linear: LinearProgram, num_colors: int, *, with_value: bool, backend: str = DEFAULT_BACKEND
) -> Sweep:
    """Return the sweep ``(x, arguments, colors, color_of, indptr) -> data`` (and y, if `with_value`).

    Parameters
    ----------
    linear : LinearProgram
        Tangents of x to tangents of y.
    num_colors : int
        Colors of the columns.
    with_value : bool
        Compute the value of the function in the same sweep.
    backend : str
        See `Sweep`.
    """
    writer = _Writer(linear, num_colors, with_value)
    write_value(writer.source, linear.primal, writer.counter)
    writer.write()
    return Sweep(writer.source, work_sizes(linear.primal) | writer.sizes, backend)


def lanes_of(linear: LinearProgram, num_colors: int) -> Lanes:
    """Return how a compressed sweep would process its colors."""
    return _Writer(linear, num_colors, False).lanes


__all__ = ["Buffer", "Lanes", "compressed_sweep", "lanes_of", "plan_lanes", "rows_complete"]
