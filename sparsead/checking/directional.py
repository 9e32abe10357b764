"""The derivative of a function along a direction, from its values alone, with a bound of the error in every row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]  # x (n,) -> f(x) (m,)

FIRST = 2.0**-8  # the largest step, in units of the direction
SHRINK = 4.0  # from each step to the next
FEWEST, MOST = 3, 8  # steps
ENOUGH = 1e-9  # relative error at which no smaller step is tried
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Slope:
    """A derivative along a direction.

    Attributes
    ----------
    value : ndarray, shape (m,)
        The derivative of each row; NaN where the function has no value nearby.
    error : ndarray, shape (m,)
        An estimate of its error: truncation and rounding.
    decided : ndarray of bool, shape (m,)
        False where differences say nothing: the function has a kink or a jump at x, or no finite values around it.
    """

    value: np.ndarray
    error: np.ndarray
    decided: np.ndarray


def slope_along(function: Function, x: np.ndarray, v: np.ndarray, start: np.ndarray, noise: np.ndarray) -> Slope:
    """Return the derivative of a function along v by extrapolated central differences.

    The step shrinks until every row is known well enough; each row takes the step that gives it the smallest bound
    of truncation and rounding together. Where the slopes on both sides of x stay apart as the step shrinks, the
    function has a kink there, and no difference can tell which derivative is right.

    Parameters
    ----------
    function : callable
        From (n,) to (m,).
    x, v : ndarray, shape (n,)
        The point; the direction, so long that a 250th of it is a small step.
    start : ndarray, shape (m,)
        ``function(x)``.
    noise : ndarray, shape (m,)
        The rounding error of a value of the function.

    References
    ----------
    C. J. F. Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4 (1982).
    """
    table = _Table(start)
    h = FIRST
    for step in range(MOST):
        with np.errstate(all="ignore"):
            above, below = function(x + h * v), function(x - h * v)
            size = np.maximum(np.abs(above), np.abs(below))
            noise = np.where(np.isfinite(size), np.maximum(noise, EPS * size), noise)
            table.add((above - below) / (2 * h), ((above - start) - (start - below)) / h, noise / h)
        if step + 1 >= FEWEST and table.done:
            break
        h /= SHRINK
    return table.slope


class _Table:
    """Neville's table of central differences, row by row of the function; the best entry of each row is kept."""

    def __init__(self, start: np.ndarray) -> None:
        self.last: list[np.ndarray] = []  # extrapolations that end at the latest step, from order 2 upwards
        self.value, self.error = np.full(start.size, np.nan), np.full(start.size, np.inf)
        self.hopeless = ~np.isfinite(start)
        self.rounding = np.zeros(start.size)
        self.gap: np.ndarray | None = None  # between the slopes on both sides
        self.kinks: list[np.ndarray] = []  # the gap extrapolated to step 0, with its rounding error removed

    def add(self, central: np.ndarray, gap: np.ndarray, rounding: np.ndarray) -> None:
        """Extend the table by the central difference at the next smaller step, and the gap there."""
        row, factor = [central], 1.0
        self.rounding = rounding
        for previous in self.last:
            factor *= SHRINK**2
            better = (factor * row[-1] - previous) / (factor - 1.0)
            truncation = np.maximum(np.abs(better - row[-1]), np.abs(better - previous))
            self._keep(better, truncation + rounding)
            row.append(better)
        if self.gap is not None:
            kink = np.abs(SHRINK * gap - self.gap) / (SHRINK - 1.0)
            self.kinks.append(np.where(kink > 16 * rounding, kink, 0.0))
        self.last, self.gap = row, gap

    def _keep(self, value: np.ndarray, error: np.ndarray) -> None:
        better = error < self.error  # False for NaN
        self.value = np.where(better, value, self.value)
        self.error = np.where(better, error, self.error)

    @property
    def done(self) -> bool:
        """True if no smaller step is needed, or none can help."""
        enough = np.maximum(ENOUGH * np.abs(self.value), 2 * self.rounding)
        return bool(np.all((self.error <= enough) | self.hopeless))

    @property
    def slope(self) -> Slope:
        """What is known now."""
        kinked = np.zeros(self.value.size, dtype=np.bool_)
        if len(self.kinks) > 1:  # of a smooth function the gap would have shrunk by SHRINK**3
            kinked = (self.kinks[-1] > 0) & ~(self.kinks[-1] < 0.5 * self.kinks[-2])
        return Slope(self.value, self.error, np.isfinite(self.error) & ~kinked)
