"""Functions that climb by steps: what a search by choices ends at is constant nearly everywhere, and follows a curve.

Each turn of a bisection chooses a number made of constants, so the derivative of what was traced is zero, which is
right of the steps and useless: the curve is what was meant. So it is whether branches choose, which are recorded, or
``np.where``: then each choice is decided by what the one before has chosen. Seen from afar the function has a slope,
on both sides and at two distances the same; seen closely it has none, wherever one looks. A band in which nothing
happens looks flat at its own place alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

import numpy as np

from sparsead.checking.directional import Function

FEWEST = 8  # turns of a search
WIDE = (1.0, -1.0, 0.5, -0.5)  # how far off it is looked at, relative to the direction
WIDER = (1.0, 3.0)  # the directions that are tried
PLACES = (-0.93, -0.71, -0.47, -0.29, 0.29, 0.47, 0.71, 0.93)  # where it is looked at closely
CLOSE = 2.0**-30
LEAST = 0.01  # of the slope from afar, by which the derivative is off
ALIKE = 0.25  # how much the slopes from afar may differ, relative to how far they are from the derivative


def may_search(origins: Iterable[Hashable]) -> bool:
    """Tell whether one line decided so often that it may be that of a search."""
    return any(count >= FEWEST for count in Counter(origins).values())


def climbs(function: Function, x: np.ndarray, start: np.ndarray, d: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Return how far the slope along d, seen from afar, is from a derivative in the rows that climb by steps; else 0.

    Parameters
    ----------
    function : callable
        From (n,) to (m,); NaN where it has no value.
    x, d : ndarray, shape (n,)
        Where it is looked at, and along what.
    start, ours : ndarray, shape (m,)
        The value there, and the derivative along d.
    """
    with np.errstate(all="ignore"):
        slopes = np.array([(function(x + t * d) - start) / t for t in WIDE])
        slope = np.mean(slopes, axis=0)
        off = np.min(np.abs(slopes - ours), axis=0)
        stepped = (np.ptp(slopes, axis=0) <= ALIKE * off) & (off > LEAST * np.abs(slope))
        for t in PLACES:
            if not stepped.any():
                break
            near = (function(x + (t + CLOSE) * d) - function(x + (t - CLOSE) * d)) / (2.0 * CLOSE)
            stepped &= np.abs(near - slope) > 0.5 * off
    return np.where(stepped, off, 0.0)
