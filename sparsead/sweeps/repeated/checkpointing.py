"""Through a loop forward, and backward with as many kept states as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sparsead.memory import require
from sparsead.sweeps.repeated.body import Adjoint, Body
from sparsead.sweeps.repeated.checkpoint_schedule import Advance, binomial
from sparsead.sweeps.repeated.turns import Rows, Shuttle

MOST = 1 << 22  # numbers in all the states (checkpoints) that a backward walk keeps: 32 MiB
FEWEST = 16  # checkpoints that it may keep however large they are


@dataclass(frozen=True)
class Walk:
    """A loop at given operands.

    Attributes
    ----------
    body : Body
        One turn.
    count : int
        How many.
    keep : int or None
        How many states a walk backward may keep.
    """

    body: Body
    count: int
    keep: int | None = None

    def forward(self, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the states after all turns."""
        return self._advanced([operands[k] for k in self.body.states], operands, 0, self.count)

    def _advanced(
        self, states: Sequence[np.ndarray], operands: Sequence[np.ndarray], first: int, count: int
    ) -> list[np.ndarray]:
        shuttles = [Shuttle(state) for state in states]
        rows = self.constant(operands, first)
        for k, new, shuttle in zip(self.body.states, self.body.next, shuttles, strict=True):
            rows[self.body.inputs[k].name], rows[new.name] = shuttle.go(count)
        self.body.turns.run(count, rows)
        return [shuttle.state for shuttle in shuttles]

    def constant(self, operands: Sequence[np.ndarray], first: int = 0, step: int = 1) -> dict[str, Rows]:
        """Return what is read besides the states, from a turn on, forward or backward."""
        rows = {}
        for buffer, kind, array in zip(self.body.inputs, self.body.kinds, operands, strict=True):
            if kind == "fixed":
                rows[buffer.name] = Rows(array.reshape(1, -1))
            elif kind == "row":
                rows[buffer.name] = Rows(array.reshape(self.count, buffer.size), first, step)
        return rows

    def backward(
        self, adjoint: Adjoint, operands: Sequence[np.ndarray], cotangents: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """Return the cotangents of the inputs that `adjoint` moves, given those of the last states."""
        into = _Cotangents(self, adjoint, cotangents)
        for first, tape in self._stretches(operands):
            into.back(operands, first, tape)
        return into.all()

    def _stretches(self, operands: Sequence[np.ndarray]) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Yield, from the last turns to the first, where a stretch begins, and the states before its turns."""
        sizes = [self.body.inputs[k].size for k in self.body.states]
        length, slots = self._plan(sum(sizes))
        room = self.body.room(slots + length)
        kept, tape = [array[:slots] for array in room], [array[slots:] for array in room]
        for store, k in zip(kept, self.body.states, strict=True):
            store[0] = operands[k]
        begins = [0] * slots
        for task in binomial(-(-self.count // length), slots):
            here = [store[task.slot - 1 if isinstance(task, Advance) else task.slot] for store in kept]
            start, end = length * task.start, min(length * (task.start + 1), self.count)
            if isinstance(task, Advance):
                end = length * task.end
                for store, state in zip(kept, self._advanced(here, operands, start, end - start), strict=True):
                    store[task.slot] = state
                begins[task.slot] = end
                continue
            begin = begins[task.slot]
            states = here if begin == start else self._advanced(here, operands, begin, start - begin)
            yield start, self._recorded(states, operands, start, end, tape)

    def _plan(self, size: int) -> tuple[int, int]:
        """Return how many turns are recorded at a time, and how many states are kept besides."""
        keep = self.keep or max(FEWEST, MOST // max(size, 1))
        if self.count <= keep:
            length, slots = self.count, 1
        else:
            length, slots = max(1, keep // 2), max(1, keep - keep // 2)
        require(8 * size * (length + slots), f"{length + slots} states of a loop", "let repeat keep fewer (keep=)")
        return length, slots

    def _recorded(
        self,
        states: Sequence[np.ndarray],
        operands: Sequence[np.ndarray],
        first: int,
        end: int,
        tape: list[np.ndarray],
    ) -> list[np.ndarray]:
        """Return the states before the turns of a stretch, in order."""
        for record, state in zip(tape, states, strict=True):
            record[0] = state
        rows = self.constant(operands, first)
        for k, new, record in zip(self.body.states, self.body.next, tape, strict=True):
            rows[self.body.inputs[k].name], rows[new.name] = Rows(record, 0, 1), Rows(record, 1, 1)
        self.body.turns.run(end - first - 1, rows)
        return [record[: end - first] for record in tape]


class _Cotangents:
    """The cotangents on the way back."""

    def __init__(self, walk: Walk, adjoint: Adjoint, last: Sequence[np.ndarray]) -> None:
        self.walk, self.adjoint = walk, adjoint
        self.shuttles = [Shuttle(w) for w in last]
        body = walk.body
        self.found = {
            k: np.zeros((walk.count if body.kinds[k] == "row" else 1, body.inputs[k].size))
            for k in adjoint.moving
            if body.kinds[k] != "state"
        }

    def back(self, operands: Sequence[np.ndarray], first: int, tape: Sequence[np.ndarray]) -> None:
        """Go back through a stretch."""
        body, turns = self.walk.body, tape[0].shape[0]
        last = first + turns - 1
        into = dict(zip(self.adjoint.moving, self.adjoint.into, strict=True))
        rows = self.walk.constant(operands, last, -1)
        for k, array in self.found.items():
            rows[into[k].name] = Rows(array, last, -1) if body.kinds[k] == "row" else Rows(array)
        for k, seed, record, shuttle in zip(body.states, self.adjoint.seeds, tape, self.shuttles, strict=True):
            rows[body.inputs[k].name] = Rows(record, turns - 1, -1)
            rows[seed.name], rows[into[k].name] = shuttle.go(turns)
        self.adjoint.turns.run(turns, rows)

    def all(self) -> list[np.ndarray]:
        """Return the cotangents of all inputs that are moved."""
        states = iter(self.shuttles)
        kinds = self.walk.body.kinds
        return [next(states).state if kinds[k] == "state" else self.found[k].reshape(-1) for k in self.adjoint.moving]
