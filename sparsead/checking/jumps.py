"""Rows that jump: behind a condition that flips a value changes, while its derivative is 0 on both sides."""

from __future__ import annotations

import numpy as np

from sparsead.checking.directional import Function

BETWEEN = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # places on a way at which a row that changes must move by a small step, too
NUDGE = 2.0**-10  # that step, of the way


def jumps(call: Function, x: np.ndarray, part: np.ndarray, change: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """Tell which rows change along a way by jumps alone, as behind a condition: their derivative is 0 all along.

    What changes too little to say so is not called a jump.
    """
    moves = np.zeros(change.size, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        for place in BETWEEN:
            here = call(x + place * part)
            moves |= ~(np.abs(call(x + (place + NUDGE) * part) - here) <= rounding)
    return ~moves & (change * NUDGE > rounding)
