"""A compiled turn, done many times: some arrays are the same at every turn, some move on by a row."""

from __future__ import annotations

import functools
import threading
from typing import NamedTuple

import numpy as np

from sparsead.emit.loop_driver import driver
from sparsead.emit.sweep import Sweep


class Rows(NamedTuple):
    """The rows of an array that turns are given: from `first` on, every `step`-th; with step 0 the same.

    With `back`, every other turn takes the step back.
    """

    array: np.ndarray
    first: int = 0
    step: int = 0
    back: bool = False

    def at(self, turn: int) -> np.ndarray:
        """Return the row of a turn."""
        return self.array[self.first + self.step * (turn % 2 if self.back else turn)]

    def cut(self, start: int, stop: int) -> Rows:
        """Return the same elements of all rows."""
        return self._replace(array=self.array[:, start:stop])


class Turns:
    """A sweep that is run again and again.

    Parameters
    ----------
    sweep : Sweep
        One turn.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._local = threading.local()

    def compile(self) -> None:
        """Compile the turn."""
        self.sweep.compile()

    def run(self, count: int, rows: dict[str, Rows]) -> None:
        """Run turns; the arrays by parameter name, others are ignored."""
        if count <= 0:
            return
        parts = self.sweep.source.parts.items()
        rows = rows | {name: rows[whole].cut(part.start, part.stop) for name, (whole, part) in parts}
        given = [rows[name] for name in self.sweep.given]
        drive = self._driver()
        if drive is not None:
            strides = [r.step * r.array.strides[0] for r in given]
            drive(count, [r.at(0) for r in given], strides, [-1 if r.back else 1 for r in given])
            return
        for turn in range(count):
            self.sweep(**{name: r.at(turn) for name, r in rows.items()})

    def _driver(self) -> functools.partial[None] | None:
        try:
            return self._local.drive
        except AttributeError:
            frames = self.sweep.frames()
            self._local.drive = None if frames is None else driver(frames)
            return self._local.drive


class Shuttle:
    """Two rows between which a state goes there and back, so that nothing is copied from turn to turn.

    Parameters
    ----------
    start : ndarray
        The state at first.
    """

    def __init__(self, start: np.ndarray) -> None:
        self.array = np.empty((2, start.size))
        self.array[0] = start
        self.at = 0

    def go(self, turns: int) -> tuple[Rows, Rows]:
        """Return the rows that so many turns read, and those that they write."""
        first, other = self.at, 1 - self.at
        self.at = (self.at + turns) % 2
        return Rows(self.array, first, other - first, back=True), Rows(self.array, other, first - other, back=True)

    @property
    def state(self) -> np.ndarray:
        """The state now."""
        return self.array[self.at]
