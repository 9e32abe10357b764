"""The check that every preparation makes of itself, before anything is returned.

What was traced must have the values of the function: at the example point and at a generic one nearby. And its
derivatives must add up to the change of the function between the two: the integral of ``J @ d`` along the segment is
the difference of the values, to many digits, by a few evaluations of the compiled matrix and no further call of the
function. What disagrees is looked at again, with care, before anything is raised: how far rounding can carry the
values, whether the function is the same at every call, and differences with a bound of their error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from sparsead.checking.directional import Function
from sparsead.checking.doubt import Doubt, noise_of
from sparsead.checking.plain import quietly
from sparsead.checking.report import CheckFailed, Comparison, Report
from sparsead.checking.rows import ALL, Furthest, furthest_of_equal, largest, moved, placed, stretches
from sparsead.checking.segment import Segment
from sparsead.checking.staircase import WIDER, climbs
from sparsead.checking.subject import Subject
from sparsead.checking.wording import CHANGES, ISOLATED, SEARCH

AGREE = 1e-9  # relative agreement of two ways to compute a value
ROUNDING = 1e-10  # of the values, in their differences
UNSURE = 1e-2  # what the error of a quadrature may be, relative to its terms; a row is left undecided beyond that
SPREAD = 100.0  # times the noise
MOVES = (0.1, 1e-2, 1e-4)  # how far the generic point is from the example, relative to it
HUGE = 1e150  # what comes near it may overflow in one order of the same operations, and not in another
DRAWN = 1e-6  # relative to the largest value: two calls that differ by more are of no function of x
TRIES = 8  # values that rounding has disturbed: all of them NaN where no rounding explains it
SHORT = 2.0**-8  # the second segment, relative to the first
SEED = 20_260_101  # the same points at every preparation
CALLS = 3  # at one point, to see whether values change: what is shuffled may come back as it was


def check_preparation(subject: Subject) -> Report:
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


class _Check:
    """One check: what was found so far."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.rng = np.random.default_rng(SEED)
        self.report = Report(subject.title)
        self.quietly = quietly()
        self.raised = ""  # what the function raised last, in words
        self.elsewhere = False  # whether other branches are taken at a point that was tried

    def run(self) -> None:
        """Make all comparisons that can be made."""
        subject, report = self.subject, self.report
        x0, y0 = self.at_start()
        if not report.passed:
            return
        found = self.generic_point(x0, y0)
        if found is None:
            nowhere = f"no point near x0 has values{self.raised}: nothing was compared there"
            report.notes.append(ISOLATED if self.elsewhere else nowhere)
            if self.elsewhere and y0 is not None and report.passed:
                self.beside(x0, y0)
            self.from_afar(x0, y0)
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
            self.second_look(x1, x1 - x0, y1)
        elif self.undecided.any():
            self.note(self.undecided, "do not change smoothly near x0: their derivatives were not compared")
        self.from_afar(x0, y0)

    # -- the function ---------------------------------------------------------------------------------------
    def called(self, x: np.ndarray) -> np.ndarray | None:
        """Return the value of the function at a point; None, and a note, where it raises."""
        self.report.calls += 1
        try:
            with self.quietly():
                value = self.subject.function(x)
        except Exception as error:  # whatever a user's function may raise
            self.raised = f" (on plain arrays it raised {type(error).__name__}: {error})"
            return None
        return self.subject.flat(value)

    def forgiving(self, size: int) -> Function:
        """Return the function with NaN for its values where it raises, or has another size."""

        def call(x: np.ndarray) -> np.ndarray:
            y = self.called(x)
            return y if y is not None and y.size == size else np.full(size, np.nan)

        return call

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
            if not self.subject.belongs(x):
                self.elsewhere = True
                continue
            y = self.called(x)
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
        scale = float(max(np.max(x0, initial=0.0), -np.min(x0, initial=0.0)))
        if scale == 0.0:
            yield self.rng.uniform(0.1, 0.9, x0.size)
        for sign, move in ((1.0, MOVES[0]), *((s, m) for m in MOVES[1:] for s in (1.0, -1.0))):
            yield moved(x0, sign * move, min(scale, 1.0) or 1.0, self.rng)
        yield self.rng.uniform(0.1, 0.9, x0.size)

    # -- values ---------------------------------------------------------------------------------------------
    def values(self, name: str, x: np.ndarray, theirs: np.ndarray) -> None:
        """Compare the values of what was traced with those of the function, at one point."""
        for value in (self.subject.compiled_value, self.subject.value):
            ours = value(x)
            close = None if ours is None else furthest_of_equal(ours, theirs, AGREE, self.cancelled(x))
            if close is not None:
                self.report.comparisons.append(Comparison(name, close.error, close.allowed))
                return
        self.doubtful_values(name, x, self.subject.value(x), theirs)

    def cancelled(self, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
        """Return what terms that cancel allow some rows to differ by at a point."""
        if self.subject.order != 1:
            return None
        sizes = cache(partial(self.subject.sizes, x))  # evaluated where a row asks
        return lambda rows: ROUNDING * sizes()(rows, x)

    def doubtful_values(self, name: str, x: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> None:
        """Compare values that are not the same at first sight: terms may cancel, or rounding explain it."""
        if ours.size != theirs.size:
            words = f"it has {theirs.size} elements on plain arrays, {ours.size} as it was traced"
            self.report.comparisons.append(Comparison(name, np.inf, 0.0, words))
            return
        allowed = AGREE * np.abs(theirs)
        differ = self.differ(ours, theirs, allowed)
        if self.subject.order == 1 and differ.any():
            allowed = allowed + ROUNDING * self.subject.times(x)[1](x)  # terms that cancel
            differ = self.differ(ours, theirs, allowed)
        alone = np.isfinite(ours) != np.isfinite(theirs)
        if (differ | alone).any():
            if self.changes(name, x, theirs):
                return
            if differ.any():
                allowed = allowed + SPREAD * self.noise(x, theirs)
            if alone.any():
                alone = self.alone(x, ours, theirs)
                allowed = np.where(alone, 0.0, allowed)
        compared = np.isfinite(theirs) | alone
        if not compared.all():
            self.note(~compared, f"have no {name[4:]}")
        with np.errstate(all="ignore"):
            self.record(name, ours, theirs, np.where(compared, np.abs(ours - theirs), 0.0), allowed)

    @staticmethod
    def differ(ours: np.ndarray, theirs: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """Tell which rows disagree; rows in which the function has no finite value do not."""
        with np.errstate(all="ignore"):
            return np.isfinite(theirs) & ~(np.abs(ours - theirs) <= allowed)

    def alone(self, x: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Tell in which rows one of the two is finite alone, and neither rounding nor an overflow explains it.

        A row of the function that is not finite is decided where nothing was left out that might have made it so.
        """
        near = [self.forgiving(theirs.size)(x * (1.0 + 1e-8 * self.rng.uniform(-1.0, 1.0, x.size))) for _ in range(3)]
        disturbed = [self.subject.value(x, self.rng) for _ in range(TRIES)]
        theirs_are, ours_are = np.isfinite([theirs, *near]), np.isfinite([ours, *disturbed])
        only_theirs = theirs_are.all(axis=0) & ~ours_are.any(axis=0) & (np.abs(theirs) < HUGE)
        only_ours = ours_are.all(axis=0) & ~theirs_are.any(axis=0)
        return only_theirs | (only_ours if only_ours.any() and self.subject.is_finite(x) else False)

    def noise(self, x: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Return the noise of the function in each row: its own, and what rounding does to what was traced.

        Of noise as large as the values all that can be said is that nothing is known.
        """
        own, rounding = noise_of(self.forgiving(theirs.size), x, theirs, self.rng), self.rounding(x)
        noise = np.maximum(own, rounding)
        return np.where(SPREAD * noise < largest(theirs), noise, np.inf)

    def noise_of_gradient(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Return the noise of the gradient in each row; rounding inside of the function is noise of it, too."""
        inside = largest(self.rounding(x)) / (largest(x) or 1.0)
        return np.maximum(noise_of(self.subject.gradient, x, gradient, self.rng), inside)

    def rounding(self, x: np.ndarray) -> np.ndarray:
        """Return what rounding does to what was traced, in each row."""
        with np.errstate(all="ignore"):
            ours = self.subject.value(x)
            disturbed: np.ndarray = np.max([np.abs(self.subject.value(x, self.rng) - ours) for _ in range(3)], axis=0)
        return disturbed

    def changes(self, name: str, x: np.ndarray, first: np.ndarray) -> bool:
        """Tell whether the function has other values when it is called again; of more than noise that is an error."""
        calls = (self.called(x) for _ in range(CALLS))
        again = next((y for y in calls if y is not None and not np.array_equal(y, first, equal_nan=True)), None)
        if again is None:
            return False
        with np.errstate(all="ignore"):
            gap = np.abs(again - first) if again.size == first.size else np.full(1, np.inf)
            allowed = DRAWN * largest(first) + SPREAD * self.rounding(x)
        if (gap > allowed).any():
            row = int(np.argmax(np.where(gap > allowed, gap, -1.0)))
            twice = f"two calls of the function at {name.removeprefix('the value at ')}"
            self.report.comparisons.append(Comparison(twice, float(gap[row]), float(allowed[row]), CHANGES))
        else:
            self.report.notes.append(f"the function gives other values at each call: no comparison of {name}")
        return True

    # -- derivatives ----------------------------------------------------------------------------------------
    @property
    def product(self) -> str:
        """What is integrated."""
        return "J @ d" if self.subject.order == 1 else "d @ H @ d"

    def segment(self, x: np.ndarray, to: np.ndarray, first: np.ndarray, last: np.ndarray) -> Segment:
        """Return the way from one point to another, with the value in the middle where that is needed."""
        if self.subject.order == 1:
            return Segment(x, to - x, [first, last])
        middle = self.called(x + 0.5 * (to - x))
        return Segment(x, to - x, [first, np.full(first.size, np.nan) if middle is None else middle, last])

    def along(self, name: str, segment: Segment) -> None:
        """Compare derivatives and values along a segment, in the rows that are still undecided.

        A row that disagrees stays undecided, and is doubted; one that the quadrature cannot tell stays as it was.
        """
        slopes, furthest = segment.slopes(self.subject), Furthest()
        for rows in stretches(self.undecided.size):
            self.decide(segment, slopes, rows, furthest)
        if self.subject.order == 1 and self.doubted.any():
            doubted = np.flatnonzero(self.doubted)
            self.decide(segment, slopes, doubted, furthest, self.subject.terms(doubted, segment.d))  # they may cancel
        if furthest.error >= 0.0:
            self.report.comparisons.append(Comparison(name, furthest.error, furthest.allowed))

    def decide(
        self, segment: Segment, slopes: list[np.ndarray], rows: Any, furthest: Furthest, terms: Any = 0.0
    ) -> None:
        """Compare derivatives and values along a segment in some rows."""
        with np.errstate(all="ignore"):
            ours, error, size = segment.integral(slopes, rows)
            theirs, sizes = segment.change(rows)
            gap = np.abs(ours - theirs)
            sure = (error <= UNSURE * size) & np.isfinite(theirs)
            allowed = error + ROUNDING * (size + sizes + terms)
        undecided = self.undecided[rows]
        decided = undecided & (gap <= allowed) & sure
        undecided = self.undecided[rows] = undecided & ~decided
        self.doubted[rows] = (self.doubted[rows] & undecided) | (undecided & sure)
        if decided.any():
            furthest.look(np.where(decided, gap, -1.0), allowed)

    def second_look(self, x: np.ndarray, d: np.ndarray, y: np.ndarray) -> None:
        """Compare the derivative along d with differences at many steps; for second derivatives, also the first one."""
        if self.subject.order == 1:
            rows = np.flatnonzero(self.undecided)
            return self.refute(self.first_derivative(x, y, rows), d, rows=rows)
        self.refute(self.first_derivative(x, y), d)
        product, terms = self.subject.times(x)
        gradient = self.subject.gradient(x)
        second = Doubt(
            "H @ d and differences of the gradient", self.subject.gradient, x, gradient, product, terms,
            partial(self.noise_of_gradient, x, gradient),
            lambda z, v: self.subject.times(z)[0](v),
        )  # fmt: skip
        self.refute(second, d, self.subject.couplings)

    def first_derivative(self, x: np.ndarray, y: np.ndarray, rows: Any = ALL) -> Doubt:
        """Return what tells whether the first derivative at x is that of the function, in some rows."""
        function, noise = self.forgiving(y.size), lambda: self.noise(x, y)
        if self.subject.order == 1:
            name, (product, terms) = "J @ d and differences of the function", self.subject.times(x, rows)
            return Doubt(
                name, lambda z: function(z)[rows], x, y[rows], product, terms, lambda: noise()[rows],
                lambda z, v: self.subject.times(z, rows)[0](v),
            )  # fmt: skip
        gradient = self.subject.gradient(x)
        return Doubt(
            "gradient @ d and differences of the function", function, x, y,
            lambda v: np.atleast_1d(gradient @ v), lambda v: np.atleast_1d(np.abs(gradient) @ np.abs(v)), noise,
            lambda z, v: np.atleast_1d(self.subject.gradient(z) @ v),
        )  # fmt: skip

    def beside(self, x: np.ndarray, y: np.ndarray) -> None:
        """Compare the derivative at x, whose branches no other point takes, with differences on both sides."""
        self.refute(replace(self.first_derivative(x, y), one_sided=True), next(self.candidates(x)) - x, self.searching)

    def from_afar(self, x: np.ndarray, y: np.ndarray | None) -> None:
        """Compare the derivative at x with what the function does over wide steps, where choices may search."""
        if y is None or not self.report.passed or not self.subject.may_search:
            return
        d = next(self.candidates(x)) - x
        ours = self.first_derivative(x, y).product(d)
        errors = (climbs(self.forgiving(y.size), x, y, wide * d, wide * ours) / wide for wide in WIDER)
        error = np.maximum.reduce(list(errors))
        self.record(f"{self.product} and wide steps", ours, ours + error, error, 0.0 * error, self.searching)

    def searching(self, row: int) -> str:
        """Say which lines make up a row that a search by branches ends at."""
        return f"{self.subject.lines(row)}\n       {SEARCH}".lstrip("\n")

    def refute(
        self, doubt: Doubt, d: np.ndarray, lines: Callable[[int], str] | None = None, rows: np.ndarray | None = None
    ) -> None:
        """Record what differences say at all steps, and which column is to blame; of some rows, or of all."""
        found = [doubt.product(d), *doubt.refuted(d)]
        ours, theirs, error, allowed = found if rows is None else [placed(f, rows, self.undecided.size) for f in found]
        self.record(doubt.name, ours, theirs, error, allowed, self.searching if self.subject.may_search else lines)
        if not self.report.passed:
            last, (*_, error, allowed) = self.report.comparisons.pop(), found
            row = int(np.argmax(np.where(error > allowed, error, -1.0)))
            words = f"{last.detail}\n       column {doubt.culprit(d, row)} explains it"
            self.report.comparisons.append(replace(last, detail=words))

    # -- what is said ---------------------------------------------------------------------------------------
    def note(self, rows: np.ndarray, words: str) -> None:
        """Say something of some rows that were not compared."""
        self.report.notes.append(f"{np.count_nonzero(rows)} of {rows.size} rows {words}")

    def record(
        self,
        name: str,
        ours: np.ndarray,
        theirs: np.ndarray,
        error: np.ndarray,
        allowed: np.ndarray,
        lines: Callable[[int], str] | None = None,
    ) -> None:
        """Add a comparison; where it fails, with the row and its lines."""
        known = allowed < np.inf
        if not known.all():
            self.note(~known, f"were not compared: {name}, noise or a kink")
        if not known.any():
            return
        error, allowed = (np.where(nan, np.inf, a) if (nan := np.isnan(a)).any() else a for a in (error, allowed))
        above = error > allowed
        failed = bool(above.any())
        row = int(np.argmax(np.where(above if failed else known, error, -1.0)))
        detail = f"worst in row {row}: {ours[row]:.17g} as traced, {theirs[row]:.17g} on plain arrays" if failed else ""
        if failed:
            detail += f"\n{(lines or self.subject.lines)(row)}".rstrip()
        self.report.comparisons.append(Comparison(name, float(error[row]), float(allowed[row]), detail))
