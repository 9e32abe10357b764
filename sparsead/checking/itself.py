"""The check that every preparation makes of itself, before anything is returned.

What was traced must have the values of the function: at the example point and at a generic one nearby. And its
derivatives must add up to the change of the function between the two: the integral of ``J @ d`` along the segment is
the difference of the values, to many digits, by a few evaluations of the compiled matrix and no further call of the
function. What disagrees is looked at again, with care, before anything is raised: how far rounding can carry the
values, whether the function is the same at every call, and differences with a bound of their error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sparsead.checking.report import CheckFailed, Comparison, Report

AGREE = 1e-9  # relative agreement of two ways to compute a value
ROUNDING = 1e-10  # of the values, in their differences
UNSURE = 1e-3  # what the error of a quadrature may be, relative to its terms; a row is left undecided beyond that
SPREAD = 100.0  # times what disturbed evaluations differ by
MOVES = (0.1, 1e-2, 1e-4)  # how far the generic point is from the example, relative to it
SHORT = 2.0**-6  # the second segment, relative to the first
SEED = 20_260_101  # the same points at every preparation


class Subject(Protocol):
    """What is checked; points are flat.

    Attributes
    ----------
    title : str
        What it is, in words.
    start : ndarray, shape (n,)
        The example point.
    order : int
        1 where products with the first derivative are given, 2 where those with the second.
    """

    title: str
    start: np.ndarray
    order: int

    def function(self, x: np.ndarray) -> np.ndarray:
        """Call the user's function on plain arrays; return its value, flat."""

    def value(self, x: np.ndarray, rounding: np.random.Generator | None = None) -> np.ndarray:
        """Return the value of what was traced, flat; perhaps disturbed by rounding."""

    def slope(self, x: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Return the derivative at x along d: ``J @ d``, or ``d @ H @ d``."""

    def size(self, d: np.ndarray) -> np.ndarray:
        """Return the sum of the sizes of the terms of the latest slope."""

    def belongs(self, x: np.ndarray) -> bool:
        """Tell whether the function takes the branches there that were traced."""

    def carefully(self, x: np.ndarray, d: np.ndarray) -> list[Comparison]:
        """Compare the derivative along d with differences whose error is known."""

    def lines(self, row: int) -> str:
        """Say which lines of the user's code make up a row."""


def check_itself(subject: Subject) -> Report:
    """Check what was prepared.

    Returns
    -------
    Report
        What was compared; its notes say what could not be.

    Raises
    ------
    CheckFailed
        If what was traced is not the function.
    """
    check = _Check(subject)
    check.run()
    if not check.report.passed:
        raise CheckFailed(check.report)
    return check.report


@dataclass
class _Segment:
    """A way through the domain of the function, and the values of the function along it: at its ends, or three."""

    x: np.ndarray
    d: np.ndarray  # the way as a whole
    values: list[np.ndarray]

    def change(self) -> np.ndarray:
        """Return the difference of the values; the second difference of three."""
        with np.errstate(all="ignore"):
            if len(self.values) == 2:
                return self.values[1] - self.values[0]
            return self.values[0] - 2.0 * self.values[1] + self.values[2]

    def size(self) -> np.ndarray:
        """Return the size of the values, row by row."""
        with np.errstate(all="ignore"):
            return np.sum(np.abs(self.values), axis=0)

    def integral(self, subject: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what derivatives say of the change, an estimate of the error of that, and the sum of all sizes.

        A difference integrates the first derivative; a second difference integrates the second one with a hat.
        Quadrature with two nodes is exact for cubics, with one for straight lines.
        """
        whole, apart = (1.0, 0.5 / np.sqrt(3.0)) if len(self.values) == 2 else (0.25, np.sqrt(1.0 / 24.0))
        with np.errstate(all="ignore"):
            below, above = (subject.slope(self.x + t * self.d, self.d) for t in (0.5 - apart, 0.5 + apart))
            middle = subject.slope(self.x + 0.5 * self.d, self.d)
            size = whole * subject.size(self.d)
            total = 0.5 * whole * (below + above)
            return total, np.abs(total - whole * middle), size


class _Check:
    """One check: what was found so far."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.rng = np.random.default_rng(SEED)
        self.report = Report(subject.title)
        self.raised = ""  # what the function raised last, in words

    def run(self) -> None:
        """Make all comparisons that can be made."""
        subject, report = self.subject, self.report
        x0, y0 = self.at_start()
        found = self.generic_point(x0, y0)
        if found is None:
            report.notes.append(
                "no point was found near x0 at which the function has values: nothing was compared there"
            )
            return
        x1, y1 = found
        self.values("the value at a point near x0", x1, y1)
        if not report.passed:
            return
        self.undecided, self.doubted = np.ones(y1.size, dtype=np.bool_), np.zeros(y1.size, dtype=np.bool_)
        if y0 is not None:
            self.along(f"{self.product} from x0 on, and values of the function", self.segment(x0, x1, y0, y1))
        if self.undecided.any():
            beyond = x1 + SHORT * (x1 - x0)
            y2 = self.called(beyond) if subject.belongs(beyond) else None
            if y2 is not None:
                self.along(f"{self.product} near x0, and values of the function", self.segment(x1, beyond, y1, y2))
        if self.doubted.any():
            report.comparisons += subject.carefully(x1, x1 - x0)
        elif self.undecided.any():
            count = f"{np.count_nonzero(self.undecided)} of {self.undecided.size}"
            report.notes.append(f"{count} rows do not change smoothly near x0: their derivatives were not compared")

    # -- the function ---------------------------------------------------------------------------------------
    def called(self, x: np.ndarray) -> np.ndarray | None:
        """Return the value of the function at a point; None, and a note, where it raises."""
        self.report.calls += 1
        try:
            with np.errstate(all="ignore"):
                return self.subject.function(x)
        except CheckFailed:
            raise
        except Exception as error:  # whatever a user's function may raise
            self.raised = f" (on plain arrays it raised {type(error).__name__}: {error})"
            return None

    def at_start(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the example point and the value there, compared; None where there is none."""
        x = self.subject.start
        if not np.isfinite(x).all():
            self.report.notes.append("x0 is not finite")
            return np.where(np.isfinite(x), x, 0.5), None
        y = self.called(x)
        if y is None:
            self.report.notes.append(f"the function has no value at x0{self.raised}")
        else:
            self.values("the value at x0", x, y)
        return x, y

    def generic_point(self, x0: np.ndarray, y0: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
        """Return a point without special values near x0, where the function has as many values as there, and these."""
        best: tuple[int, np.ndarray, np.ndarray] | None = None
        wanted = 0 if y0 is None else np.count_nonzero(np.isfinite(y0))
        for x in self.candidates(x0):
            y = self.called(x) if self.subject.belongs(x) else None
            if y is None:
                continue
            count = int(np.count_nonzero(np.isfinite(y)))
            if best is None or count > best[0]:
                best = count, x, y
            if count >= max(wanted, min(1, y.size)):
                break
        return None if best is None else best[1:]

    def candidates(self, x0: np.ndarray) -> Iterator[np.ndarray]:
        """Yield points near x0, the likeliest first; signs stay as they are."""
        largest = float(np.max(np.abs(x0), initial=0.0))
        if largest == 0.0:
            yield self.rng.uniform(0.1, 0.9, x0.size)
        for sign, move in ((1.0, MOVES[0]), *((s, m) for m in MOVES[1:] for s in (1.0, -1.0))):
            size = np.where(x0 == 0.0, min(largest, 1.0) or 1.0, np.abs(x0))
            with np.errstate(over="ignore"):
                moved = x0 + sign * move * np.where(x0 < 0.0, -1.0, 1.0) * size * self.rng.uniform(0.5, 1.0, x0.size)
            yield np.where(np.isfinite(moved), moved, x0)
        yield self.rng.uniform(0.1, 0.9, x0.size)

    # -- values ---------------------------------------------------------------------------------------------
    def values(self, name: str, x: np.ndarray, theirs: np.ndarray) -> None:
        """Compare the values of what was traced with those of the function, at one point."""
        ours = self.subject.value(x)
        if ours.size != theirs.size:
            words = f"it has {theirs.size} elements on plain arrays, {ours.size} as it was traced"
            self.report.comparisons.append(Comparison(name, np.inf, 0.0, words))
            return
        allowed = AGREE * np.abs(theirs)
        if self.subject.order == 1 and self.differ(ours, theirs, allowed).any():
            self.subject.slope(x, x)
            allowed = allowed + ROUNDING * self.subject.size(x)  # terms that cancel
        if self.differ(ours, theirs, allowed).any():
            allowed = allowed + self.explained(x, ours, theirs)
        wrong = self.differ(ours, theirs, allowed)
        if wrong.any() and self.changes(x, theirs):
            self.report.notes.append("the function gives other values at each call: it was not compared")
            return
        compared = np.isfinite(theirs)
        if not compared.all():
            self.report.notes.append(f"{np.count_nonzero(~compared)} of {compared.size} rows have no {name[4:]}")
        with np.errstate(all="ignore"):
            self.record(name, ours, theirs, np.where(compared, np.abs(ours - theirs), 0.0), allowed)

    @staticmethod
    def differ(ours: np.ndarray, theirs: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """Tell which rows disagree; rows in which the function has no finite value do not."""
        with np.errstate(all="ignore"):
            return np.isfinite(theirs) & ~(np.abs(ours - theirs) <= allowed)

    def explained(self, x: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Return by how much the rounding of what was traced, and the noise of the function, can move each row."""
        subject = self.subject
        with np.errstate(all="ignore"):
            spread = np.zeros(ours.size)
            for _ in range(3):
                spread = np.maximum(spread, np.abs(subject.value(x, self.rng) - ours))
            noise = self.noise(x, theirs)
            allowed = SPREAD * (spread + noise)
        return np.where(np.isnan(allowed), np.inf, allowed)

    def noise(self, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the noise of the function in each row, by third differences of its values at very close points."""
        step = 2.0**-22 * x * self.rng.uniform(0.5, 1.0, x.size)
        values = [start]
        for k in range(1, 7):
            y = self.called(x + k * step)
            values.append(start if y is None or y.size != start.size else y)
        return np.max(np.abs(np.diff(values, 3, axis=0)), axis=0)

    def changes(self, x: np.ndarray, first: np.ndarray) -> bool:
        """Tell whether the function has other values when it is called again."""
        again = self.called(x)
        return again is not None and not np.array_equal(again, first, equal_nan=True)

    # -- derivatives ----------------------------------------------------------------------------------------
    @property
    def product(self) -> str:
        """What is integrated."""
        return "J @ d" if self.subject.order == 1 else "d @ H @ d"

    def segment(self, x: np.ndarray, to: np.ndarray, first: np.ndarray, last: np.ndarray) -> _Segment:
        """Return the way from one point to another, with the value in the middle where that is needed."""
        if self.subject.order == 1:
            return _Segment(x, to - x, [first, last])
        middle = self.called(x + 0.5 * (to - x))
        return _Segment(x, to - x, [first, np.full(first.size, np.nan) if middle is None else middle, last])

    def along(self, name: str, segment: _Segment) -> None:
        """Compare derivatives and values along a segment, in the rows that are still undecided.

        A row that disagrees stays undecided, and is doubted; one that the quadrature cannot tell stays as it was.
        """
        theirs = segment.change()
        ours, error, size = segment.integral(self.subject)
        with np.errstate(all="ignore"):
            allowed = error + ROUNDING * (segment.size() + size)
            agrees = np.abs(ours - theirs) <= allowed
            sure = (error <= UNSURE * size) & np.isfinite(theirs)
        decided = self.undecided & agrees & sure
        self.undecided &= ~decided
        self.doubted = (self.doubted & self.undecided) | (self.undecided & sure)
        if decided.any():
            error = np.where(decided, np.abs(ours - theirs), 0.0)
            self.record(name, ours, theirs, error, np.where(decided, allowed, np.inf))

    # -- what is said ---------------------------------------------------------------------------------------
    def record(self, name: str, ours: np.ndarray, theirs: np.ndarray, error: np.ndarray, allowed: np.ndarray) -> None:
        """Add a comparison; where it fails, with the row and its lines."""
        if not error.size:
            return
        error = np.where(np.isnan(error), np.inf, error)
        allowed = np.where(np.isnan(allowed), np.inf, allowed)
        row = int(np.argmax(np.where(error > allowed, error, -1.0)))
        failed = bool(error[row] > allowed[row])
        row = row if failed else int(np.argmax(error))
        detail = f"worst in row {row}: {ours[row]:.17g} as traced, {theirs[row]:.17g} on plain arrays" if failed else ""
        if failed:
            detail += f"\n{self.subject.lines(row)}".rstrip()
        self.report.comparisons.append(Comparison(name, float(error[row]), float(allowed[row]), detail))
