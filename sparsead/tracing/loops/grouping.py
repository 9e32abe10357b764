"""From the tape to array operations: scalars of one signature become the points of one `Map`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from sparsead.errors import unsupported
from sparsead.program.index import IndexArray
from sparsead.program.nodes import Node, Ref
from sparsead.tracing.loops.cuts import Cells, RecurrenceError, cuts_below
from sparsead.tracing.loops.expansion import Expansion
from sparsead.tracing.loops.scans import CutExpansion
from sparsead.tracing.loops.sums import split, uses
from sparsead.tracing.loops.tape import Tape, take

MOST_DIRECT = 32  # groups of values to be stored, and
FEW_STEPS = 256  # array operations, that are not worth a search for cuts
MOST_STEPS = 10_000
STEPS_OF_ARRAY = 64  # that are added for each array of which elements are read: turns may have arrays of their own


def grouped(tape: Tape, records: np.ndarray, positions: IndexArray) -> Iterator[tuple[IndexArray, Ref]]:
    """Split scalars to be stored at `positions` into groups; yield the positions and the reading of each."""
    tape.stored.append(records)
    in_order = positions.size < 2 or bool((np.diff(positions) > 0).all())
    if not in_order:
        order = np.argsort(positions, kind="stable")
        records, positions = records[order], positions[order]
    for selected, ref in _readings(tape, records, positions):
        yield positions[selected].reshape(ref.shape), ref


def _readings(tape: Tape, records: np.ndarray, positions: IndexArray) -> list[tuple[np.ndarray, Ref]]:
    """Return which records belong together, and the reading of each group.

    Without cuts if that gives few array operations and computes hardly anything twice, else with cuts if that
    gives few, else as it comes.
    """
    parts = split(take(tape.signature, records))
    if len(parts) <= MOST_DIRECT:
        with suppress(RecurrenceError), Expansion(tape, FEW_STEPS, twice=False) as expansion:
            return [(p, expansion.run(records[p], positions[p])) for p in parts]
    most = MOST_STEPS + STEPS_OF_ARRAY * sum(isinstance(signature.kind, Node) for signature in tape.signatures)
    used, cells = uses(tape), (tape.cells or Cells(0)).grown(len(tape))
    cuts = cuts_below(tape, records, used, cells.owner >= 0)
    with suppress(RecurrenceError), CutExpansion(tape, most, used=used, cuts=cuts) as cut:
        cut.cells = cells
        cut.run_cuts()
        tape.cells = cells
        return [(p, cut.run(records[p], positions[p])) for p in split(cuts.label[records])]
    with suppress(RecurrenceError), Expansion(tape, most) as expansion:
        return [(p, expansion.run(records[p], positions[p])) for p in parts]
    raise unsupported(
        "a long recurrence, or loop code in which hardly two elements are alike,",
        "Write the loop with array operations (np.cumsum, np.prod, slices), one step at a time.",
    )
