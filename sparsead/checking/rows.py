"""Comparisons of long vectors, a stretch of rows at a time, so that what lies between stays in the processor's cache.

Of millions of rows, memory that a process has not used yet takes longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

AT_ONCE = 1 << 14  # rows
FEW = 64  # rows for each that cancels
ALL = slice(None)  # rows


def stretches(size: int) -> Iterator[slice]:
    """Yield the stretches of so many rows, in order."""
    return (slice(start, min(start + AT_ONCE, size)) for start in range(0, size, AT_ONCE))


class Furthest:
    """The row that is furthest off of those seen so far: how far that is, and what is allowed there.

    Of rows that are equally far off it is the first.
    """

    def __init__(self) -> None:
        self.error, self.allowed = -1.0, np.inf

    def look(self, error: np.ndarray, allowed: np.ndarray) -> None:
        """Look at a stretch of rows; a row that does not count has no error."""
        row = int(np.argmax(error))
        if error[row] > self.error:
            self.error, self.allowed = float(error[row]), float(allowed[row])


def furthest_of_equal(
    ours: np.ndarray, theirs: np.ndarray, agree: float, cancelled: Callable[[np.ndarray], np.ndarray] | None
) -> Furthest | None:
    """Return the row in which two vectors differ most; None where they are not the same.

    They are the same where they have the same size, and every row is finite and agrees, relative to its size in
    `theirs`. Where a few of many rows do not, `cancelled` says what terms that cancel allow them beyond that.
    """
    if ours.size != theirs.size:
        return None
    found = Furthest()
    with np.errstate(all="ignore"):
        for rows in stretches(ours.size):
            allowed = np.abs(theirs[rows])
            if not np.isfinite(allowed).all():
                return None
            allowed *= agree
            error = np.abs(ours[rows] - theirs[rows])
            if not (error <= allowed).all():  # NaN, too
                differ = np.flatnonzero(~(error <= allowed))
                if cancelled is None or FEW * differ.size > error.size:
                    return None
                allowed[differ] += cancelled(rows.start + differ)
                if not (error <= allowed).all() or not np.isfinite(allowed[differ]).all():
                    return None
            found.look(error, allowed)
    return found


def moved(x: np.ndarray, move: float, unit: float, rng: np.random.Generator) -> np.ndarray:
    """Return a point near x, at random: moved relative to x, by parts of `unit` where that is zero.

    Signs stay as they are, and so do elements that would not be finite.
    """
    there = np.empty(x.size)
    with np.errstate(over="ignore"):
        for rows in stretches(x.size):
            part = x[rows]
            size = np.where(part == 0.0, unit, np.abs(part))
            new = part + move * np.where(part < 0.0, -1.0, 1.0) * size * rng.uniform(0.5, 1.0, part.size)
            there[rows] = np.where(np.isfinite(new), new, part)
    return there


def placed(values: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """Return a vector that has these values in some rows, and zero in all others."""
    whole = np.zeros(size)
    whole[rows] = values
    return whole


def largest(values: np.ndarray) -> float:
    """Return the largest size of a value that is a number."""
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
