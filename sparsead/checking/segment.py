"""A way through the domain of a function: what its values and its derivative say of the change along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.checking.subject import Subject


@dataclass
class Segment:
    """A way through the domain of the function, and the values of the function along it: at its ends, or three."""

    x: np.ndarray
    d: np.ndarray  # the way as a whole
    values: list[np.ndarray]

    def at(self, t: float) -> np.ndarray:
        """Return a point on the way, ``x + t * d``."""
        point = t * self.d
        point += self.x
        return point

    def slopes(self, subject: Subject) -> list[np.ndarray]:
        """Return the derivative along the way at the nodes of the quadrature with two, and at that with one."""
        apart = 0.5 / np.sqrt(3.0) if len(self.values) == 2 else np.sqrt(1.0 / 24.0)
        with np.errstate(all="ignore"):
            return [subject.slope(self.at(t), self.d) for t in (0.5 - apart, 0.5 + apart, 0.5)]

    def integral(self, slopes: list[np.ndarray], rows: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what derivatives say of the change, an estimate of the error of that, and the sum of all sizes.

        A difference integrates the first derivative; a second difference integrates the second one with a hat.
        Quadrature with two nodes is exact for cubics, with one for straight lines.
        """
        whole = 1.0 if len(self.values) == 2 else 0.25
        below, above, middle = (slope[rows] for slope in slopes)
        total = 0.5 * whole * (below + above)
        return total, np.abs(total - whole * middle), whole * (np.abs(below) + np.abs(middle) + np.abs(above))

    def change(self, rows: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the difference of the values, the second difference of three; and the sum of their sizes."""
        values = [value[rows] for value in self.values]
        difference = values[1] - values[0] if len(values) == 2 else values[0] - 2.0 * values[1] + values[2]
        return difference, sum(map(np.abs, values[1:]), np.abs(values[0]))
