"""Slopes of curves that keep the shape of their ordinates, from the slopes of the chords between these.

As in SciPy: the rules of Fritsch and Butland (1984) with ends by Moler (2004), and those of Akima (1970).
"""

from __future__ import annotations

from typing import Any

import numpy as np

CUTOFF = 1e-9  # of the changes of slope, beyond which Akima's mean is not defined


def _chords(x: np.ndarray, y: Any) -> tuple[np.ndarray, Any]:
    """Return widths of the intervals, and slopes along the first axis."""
    widths = np.diff(x).reshape((-1,) + (1,) * (np.ndim(y) - 1))
    return widths, np.diff(y, axis=0) / widths


def pchip(x: np.ndarray, y: Any) -> Any:
    """Return the slopes of ``PchipInterpolator``: weighted harmonic means of chords that go the same way, else 0."""
    h, m = _chords(x, y)
    if len(x) == 2:
        return np.concatenate([m, m])
    first, second = 2.0 * h[1:] + h[:-1], h[1:] + 2.0 * h[:-1]
    same_way = m[1:] * m[:-1] > 0.0
    before, after = (np.where(same_way, part, 1.0) for part in (m[:-1], m[1:]))
    inner = np.where(same_way, (first + second) / (first / before + second / after), 0.0)
    ends = [_end(h[0], h[1], m[0], m[1]), _end(h[-1], h[-2], m[-1], m[-2])]
    return np.concatenate([ends[0][None], inner, ends[1][None]])


def _end(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """Return the slope at an end: by three points, unless it would leave the shape."""
    slope = ((2.0 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    turns = np.sign(m0) != np.sign(m1)
    slope = np.where(turns & (np.abs(slope) > 3.0 * np.abs(m0)), 3.0 * m0, slope)
    return np.where(np.sign(slope) != np.sign(m0), 0.0, slope)


def akima(x: np.ndarray, y: Any, method: str = "akima") -> Any:
    """Return the slopes of ``Akima1DInterpolator``: means of two chords, weighted by how others change."""
    _, m = _chords(x, y)
    if len(x) == 2:
        return np.concatenate([m, m])
    left = 2.0 * m[:1] - m[1:2]
    right = 2.0 * m[-1:] - m[-2:-1]
    m = np.concatenate([2.0 * left - m[:1], left, m, right, 2.0 * right - m[-1:]])
    change = np.abs(np.diff(m, axis=0))
    if method == "makima":
        change = change + 0.5 * np.abs(m[1:] + m[:-1])
    after, before = change[2:], change[:-2]
    total = after + before
    defined = total > CUTOFF * np.max(total)
    weight = before / np.where(defined, total, 1.0)
    return np.where(defined, m[1:-2] + weight * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))
