"""Compressed sweeps: one lane per color, recovered straight into the values of the matrix.

The seed of color c is 1 at the columns of color c, so a seed is never stored: a coefficient at column j goes to
lane ``colors[j]``. Lanes of intermediate buffers are processed in blocks of colors. Where each row is computed at one
point of one kernel, the row of the compressed matrix lives in a few numbers next to that point and is recovered there;
elsewhere the block ``A S`` is kept, rows x block, and recovered once it is complete.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsead.emit.nest import Nest
from sparsead.emit.source import Source
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.in_lanes import Tangents
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Kernel, filled_by
from sparsead.kernels.linear import LinearCall, LinearKernel, LinearProgram, Term
from sparsead.kernels.undivided import Undivided
from sparsead.program.index import identity
from sparsead.sweeps.fused_values import fused
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import (
    all_differ,
    by_place,
    empty_tangent,
    plus,
    stores,
    times,
    work_sizes,
    write_steps,
    write_value,
    write_zeros,
    written_once,
)

LANE_BUDGET = 1 << 28  # bytes for the lanes of buffers
MAX_LANES = 32
MAX_CACHED = 96  # where the lanes of all buffers fit a cache
CACHE = 1 << 20  # bytes
MANY_LANES = 16  # beyond, the loop over lanes is one of vectors of 8 numbers


@dataclass(frozen=True, eq=False)
class Recovery:
    """Where a sweep's share of the entries is found: row by row of ``B = A S``, which lane, which slot of the values.

    Attributes
    ----------
    start : ndarray of int, shape (rows + 1,)
        Entries ``start[r] .. start[r + 1]`` are read in row r of B.
    lane : ndarray of int
        The color that each is read at.
    slot : ndarray of int or None
        The position of each among the values; None if they are all of the values in order.
    colors : ndarray of int
        The color of each column of A; `num_colors` where a column is in no color.
    num_colors : int
        Lanes in all.
    """

    start: np.ndarray
    lane: np.ndarray
    slot: np.ndarray | None
    colors: np.ndarray
    num_colors: int

    @classmethod
    def of(
        cls,
        line: np.ndarray,
        lane: np.ndarray,
        rows: int,
        colors: np.ndarray,
        num_colors: int,
        storage: Storage | None = None,
    ) -> Recovery:
        """Sort a recovery plan by rows: entry e is read at ``B[line[e], lane[e]]``, unless ``lane[e] < 0``.

        It goes where `storage` says, by default to place e.
        """
        place = identity(line.size) if storage is None else storage.place
        entries = np.flatnonzero((lane >= 0) & (place >= 0))
        picked = line[entries]
        if (picked[1:] < picked[:-1]).any():
            by_row = np.argsort(picked, kind="stable")
            entries, picked = entries[by_row], picked[by_row]
        slot = place[entries]
        in_order = entries.size == line.size and bool((slot == np.arange(slot.size)).all())
        start = np.searchsorted(picked, np.arange(rows + 1))
        known = np.where(colors >= 0, colors, num_colors)
        return cls(start, lane[entries], None if in_order else slot, known, num_colors)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by their names in generated code."""
        known = {"start": self.start, "lane_of": self.lane, "colors": self.colors}
        return known if self.slot is None else known | {"slot_of": self.slot}

    @property
    def width(self) -> int:
        """Lanes to hold: the colors, and one to throw away where some columns are in no color."""
        return max(self.num_colors + bool((self.colors == self.num_colors).any()), 1)


@dataclass(frozen=True)
class Lanes:
    """How the colors are processed: in `blocks` passes of `width` lanes each."""

    num_colors: int
    width: int

    @property
    def blocks(self) -> int:
        """Number of passes over the kernels."""
        return max(-(-self.num_colors // self.width), 1)


def plan_lanes(num_colors: int, rows_in_lanes: int) -> Lanes:
    """Choose the block width: all colors at once if their lanes fit the budget, else even blocks."""
    if not rows_in_lanes or num_colors <= 1:
        return Lanes(num_colors, max(num_colors, 1))
    most = min(max(CACHE // (8 * rows_in_lanes), MAX_LANES), MAX_CACHED)
    fitting = min(max(LANE_BUDGET // (8 * rows_in_lanes), 4), most)
    blocks = -(-num_colors // fitting)
    width = -(-num_colors // blocks)
    together = 4 if width <= MANY_LANES else 8
    return Lanes(num_colors, width if width <= 4 else -(-width // together) * together)


def compressed_sweep(linear: LinearProgram, recovery: Recovery, name: str, engine: Engine = DEFAULT_ENGINE) -> Sweep:
    """Return the sweep ``(x, arguments) -> data``.

    Parameters
    ----------
    linear : LinearProgram
        From tangents of the columns to tangents of the rows; its primal kernels run first.
    recovery : Recovery
        Colors, and where the entries are found.
    name : str
        Name of the generated function.
    engine : Engine
        See `Sweep`.
    """
    writer = _Writer(linear, recovery, engine.source(name))
    writer.write()
    return Sweep(writer.source, work_sizes(linear.primal) | writer.sizes, engine)


class _Writer:
    """Writes one compressed sweep."""

    def __init__(self, linear: LinearProgram, recovery: Recovery, source: Source) -> None:
        self.linear = linear
        self.in_order = recovery.slot is None
        self.rowwise = rows_complete(linear, np.diff(recovery.start))
        self.laned = [*linear.work] if self.rowwise else [*linear.work, linear.target]
        rows = 0 if linear.has_calls else sum(b.size for b in self.laned)  # Python cannot be called in a block
        self.lanes = plan_lanes(recovery.width, rows)
        self.single = self.lanes.blocks == 1
        self.fused = fused(linear) if self.single and not linear.has_calls else {}
        self.more: dict[str, int] = {}
        self.source = source
        self.recovery = recovery
        self.counter = itertools.count()

    def index(self, name: str) -> str:
        """Declare an array of the recovery and return its name."""
        return self.source.indices(name, self.recovery.arrays[name])

    @property
    def sizes(self) -> dict[str, int]:
        """Work arrays: lanes of the buffers."""
        width = self.lanes.width
        return {f"d{b.name}": b.size * width for b in self.laned} | self.more

    def write(self) -> None:
        """Write the primal kernels, then all blocks."""
        write_value(self.source, self.linear.primal, self.counter, but=self.fused.values())
        if self.single:
            self.write_block()
            return
        with self.source.block(f"for block in range({self.lanes.blocks}):"):
            self.source.write(f"first = {self.lanes.width} * block")
            self.write_block()

    def write_block(self) -> None:
        """Write the pass of one block of colors."""
        for buffer in self.laned:
            size, zero = buffer.size * self.lanes.width, empty_tangent(self.linear, buffer)
            write_zeros(self.source, self.source.buffer(buffer, tangent=True), size, zero)
        if any(x is self.linear.source for k in self.linear.kernels if not k.terms for _, x in k.pairs):
            self.write_seeds()
        for number, kernel in enumerate(self.linear.kernels):
            if isinstance(kernel, LinearKernel):
                self.write_kernel(kernel, self.fused.get(number))
            else:
                self.write_whole(kernel)
        if not self.rowwise:
            self.write_recovery()

    def write_seeds(self) -> None:
        """Write the seeds of all columns, for what reads them as tangents."""
        source, width = self.linear.source, self.lanes.width
        name = self.source.buffer(source, tangent=True)
        write_zeros(self.source, name, source.size * width)
        nest = Nest(self.source, (source.size,), self.counter)
        column = nest.index(IndexMap((source.size,), 0, (1,)))
        with nest.body(disjoint=True):
            self.source.write(f"{name}[{width} * {column} + {self.index('colors')}[{column}]] = 1.0")
        self.more[f"d{source.name}"] = source.size * width

    def write_whole(self, kernel: LinearCall | Undivided) -> None:
        """Write what is not put together of partial derivatives, for all lanes."""
        width = self.lanes.width

        def tangent(buffer: Buffer) -> Buffer:
            return Buffer(f"d{buffer.name}", width * buffer.size, "work")

        steps = kernel.steps(tangent, Tangents(width, self.recovery.num_colors))
        if isinstance(kernel, LinearCall):
            self.more |= {b.name: b.size for b in filled_by(steps[0])}
        write_steps(self.source, steps, self.counter)

    def write_kernel(self, kernel: LinearKernel, values: Kernel | None) -> None:
        """Write the loops of one kernel; some primal values may be computed there."""
        nest = Nest(self.source, kernel.domain, self.counter, kernel.ordered)
        places = by_place(kernel.terms)
        groups = [_Group(terms, nest, self) for terms in places]
        in_lanes = [terms[0] for terms, group in zip(places, groups, strict=True) if not group.is_row]
        lines = stores(self.source, nest, values) if values else []
        with nest.body(disjoint=nest.large and not (values and values.adds) and all_differ(in_lanes)):
            for line in lines:
                self.source.write(line)
            for group in groups:
                (self.to_row if group.is_row else self.to_lanes)(group)

    # -- one group of terms at one point ----------------------------------------------------------------------
    def to_lanes(self, group: _Group) -> None:
        """Add the terms to the lanes of their target."""
        source, target, at = self.source, group.target, f"at{next(self.counter)}"
        source.write(f"{at} = {self.lanes.width} * ({group.place})")
        if group.dense:
            with source.block(f"for k in range({self.lanes.width}):"):
                source.write(f"{target}[{at} + k] += {group.sum_over_lanes('k')}")
        for coefficient, column in group.seeds:
            self.seed(f"{target}[{at} + ", column, coefficient)

    def to_row(self, group: _Group) -> None:
        """Form the row in lanes and recover its entries from there."""
        source = self.source
        source.scratch("lane", self.lanes.width)
        self.bounds(group.place)
        if group.dense:
            with source.block(f"for k in range({self.lanes.width}):"):
                source.write(f"lane[k] = {group.sum_over_lanes('k')}")
        elif self.single:
            with source.block("for e in range(begin, end):"):
                source.write(f"lane[{self.index('lane_of')}[e]] = 0.0")
        else:
            with source.block(f"for k in range({self.lanes.width}):"):
                source.write("lane[k] = 0.0")
        for coefficient, column in group.seeds:
            self.seed("lane[", column, coefficient)
        self.recover("lane[")

    def seed(self, lanes: str, column: str, coefficient: str) -> None:
        """Add a coefficient to the lane of the color of its column."""
        color = f"{self.index('colors')}[{column}]"
        self.in_block(color, lambda lane: f"{lanes}{lane}] += {coefficient}")

    def bounds(self, row: str) -> None:
        """Write which entries are read in a row."""
        start = self.index("start")
        self.source.write(f"begin = {start}[{row}]")
        self.source.write(f"end = {start}[{row} + 1]")

    def recover(self, lanes: str) -> None:
        """Copy the entries ``begin .. end`` of one row from its lanes."""
        source, lane_of = self.source, self.index("lane_of")
        data = source.array("data")
        slot = "e" if self.in_order else f"{self.index('slot_of')}[e]"
        with source.block("for e in range(begin, end):"):
            self.in_block(f"{lane_of}[e]", lambda lane: f"{data}[{slot}] = {lanes}{lane}]")

    def in_block(self, color: str, statement: Callable[[str], str]) -> None:
        """Write a statement about the lane of a color, guarded where the lanes are one block of several."""
        if self.single:
            self.source.write(statement(color))
            return
        self.source.write(f"c = {color} - first")
        with self.source.block(f"if 0 <= c < {self.lanes.width}:"):
            self.source.write(statement("c"))

    def write_recovery(self) -> None:
        """Recover all rows from the complete block of the compressed matrix."""
        target = self.linear.target
        name = self.source.buffer(target, tangent=True)
        nest = Nest(self.source, (target.size,), self.counter)
        row = nest.index(IndexMap((target.size,), 0, (1,)))
        with nest.body(disjoint=True):
            self.bounds(row)
            self.source.write(f"at = {self.lanes.width} * {row}")
            self.recover(f"{name}[at + ")


class _Group:
    """Terms with one place: from seeds (columns of the matrix), and from lanes of intermediate buffers."""

    def __init__(self, terms: list[Term], nest: Nest, writer: _Writer) -> None:
        self.is_row = writer.rowwise and terms[0].target is writer.linear.target
        self.place = nest.index(terms[0].place)
        self.target = "" if self.is_row else writer.source.buffer(terms[0].target, tangent=True)
        self.width = writer.lanes.width
        self.linear = writer.linear
        self.seeds: list[tuple[str, str]] = []
        self.dense: list[tuple[str, str, str]] = []
        for term in terms:
            coefficient, index = nest.value(term.coefficient), nest.index(term.index)
            if term.source is writer.linear.source:
                self.seeds.append((coefficient, index))
            else:
                self.dense.append((coefficient, writer.source.buffer(term.source, tangent=True), index))

    def sum_over_lanes(self, k: str) -> str:
        """Return the sum that lane k receives from intermediate buffers."""
        lanes = ((c, f"{name}[{self.width} * ({index}) + {k}]") for c, name, index in self.dense)
        start = ["0.0"] if self.is_row and self.linear.absorbing else []
        return plus([*start, *(times(self.linear, c, lane) for c, lane in lanes)])


def rows_complete(linear: LinearProgram, wanted: np.ndarray | None = None) -> bool:
    """Tell whether every row of the target is computed at one point of one kernel only.

    A row that no kernel computes is complete unless entries are read in it: `wanted` is their number by row.
    """
    if linear.has_calls:
        return False
    rows = [group[0] for kernel in linear.kernels for group in by_place(kernel.terms)]
    written = written_once(term for term in rows if term.target is linear.target)
    if written is None or wanted is None:
        return written is not None
    return not wanted[~written[linear.target]].any() if written else not wanted.any()
