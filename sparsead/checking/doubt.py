"""A second look at derivatives that seem to disagree: differences at ever smaller steps.

A derivative is refuted where differences disagree with it at every step, and agree with one another at some: then
they are the derivative. A kink or a jump within a step, a function that bends sharply, or its noise looks like a
disagreement too; but then the differences are not the same at different steps, or come round at small ones. And what
swings within the smallest step, as ``sin(1e12 * x)`` does, no difference can see: there the derivative that is doubted
swings itself, from one point within the step to another, and is let pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sparsead.checking.directional import EPS, Function

STEPS = tuple(2.0**-k for k in (14, 19, 24, 9))
NEARBY = (2.0**-20, 2.0**-16)  # how far from x noise is measured, relative to x
POINTS = 10  # at each of the two distances
SMOOTH = 256.0  # by how much less is left at the smaller one where it is no noise; of a cubic, 4096
SAFETY = 20.0  # times the rounding error of a value
COARSE = 1e-6  # disagreement that is let pass, relative to the terms
SAMPLES = 12  # points within a step at which the derivative is looked at
STEADY = 4.0  # times by how much it varies within a step
ALIKE = 0.25  # how much two differences may differ that agree, relative to how far off the derivative is


def noise_of(function: Function, x: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the noise of a function in each row: what is left of very close values beside a parabola.

    References
    ----------
    J. J. More and S. M. Wild, Estimating computational noise, SIAM Journal on Scientific Computing 33 (2011).
    """
    direction = np.where(x == 0.0, np.max(np.abs(x), initial=0.0) or 1.0, x) * rng.uniform(0.5, 1.0, x.size)
    small, large = (_left_beside_parabola(function, x, distance * direction, start, rng) for distance in NEARBY)
    with np.errstate(all="ignore"):
        noise = np.where(large < SMOOTH * small, np.maximum(small, large), small)
    return np.where(np.isfinite(noise), noise, np.inf)


def _left_beside_parabola(
    function: Function, x: np.ndarray, d: np.ndarray, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    places = rng.uniform(-1.0, 1.0, POINTS)
    basis, _ = np.linalg.qr(np.vander(np.append(places, 0.0), 3))
    with np.errstate(all="ignore"):
        change = np.array([*(function(x + t * d) - start for t in places), np.zeros(start.size)])
        return np.max(np.abs(change - basis @ (basis.T @ change)), axis=0)


@dataclass(frozen=True)
class Doubt:
    """A derivative along a direction, as it was computed, and what it is a derivative of.

    Attributes
    ----------
    name : str
        What is compared.
    function : callable
        From (n,) to (m,); NaN where it has no value.
    x, start : ndarray
        The point (n,), and the value there, (m,).
    product, terms : callable
        From a direction to the derivative along it, (m,), and to the sum of the sizes of its terms.
    noise : callable
        The noise of the function in each row: asked where rounding alone does not explain what is seen.
    elsewhere : callable
        From another point and a direction to the derivative there, (m,).
    one_sided : bool
        Whether differences on both sides must say the same: what was computed holds at x alone.
    """

    name: str
    function: Function
    x: np.ndarray
    start: np.ndarray
    product: Callable[[np.ndarray], np.ndarray]
    terms: Callable[[np.ndarray], np.ndarray]
    noise: Callable[[], np.ndarray]
    elsewhere: Callable[[np.ndarray, np.ndarray], np.ndarray]
    one_sided: bool = False

    def refuted(self, d: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the derivative along d by differences, how far off ours is, and what is allowed, row by row."""
        ours = self.product(d)
        if self.one_sided:
            return self._beside(d, ours)
        with np.errstate(all="ignore"):
            rounding = EPS * (np.abs(self.start) + self.terms(np.abs(self.x)))
            coarse = COARSE * self.terms(d) + np.finfo(float).tiny
            slopes: list[np.ndarray] = []
            for h in STEPS:
                slopes.append((self.function(self.x + h * d) - self.function(self.x - h * d)) / (2.0 * h))
                if not self._off(slopes, ours, rounding, coarse).any():
                    error = np.minimum.reduce(np.abs(np.subtract(slopes, ours)))
                    allowed = SAFETY * rounding / min(STEPS) + coarse
                    return ours, error, np.where(np.isnan(error), np.inf, allowed)
            noise = np.maximum(rounding, self.noise())
            allowed = SAFETY * noise / STEPS[0] + coarse
            off = self._off(slopes, ours, noise, coarse) & _alike(slopes, ours, [True] * len(STEPS))
            if off.any():
                steady = [self._steady(d, h, ours, slope) for h, slope in zip(STEPS, slopes, strict=True)]
                off &= _alike(slopes, ours, steady)
            return slopes[0], np.where(off, np.abs(slopes[0] - ours), 0.0), allowed

    def _beside(self, d: np.ndarray, ours: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the same where differences on both sides, at two steps, agree better than any of them with ours."""
        with np.errstate(all="ignore"):
            sides = [
                [(self.function(self.x + step * d) - self.start) / step for step in (h, -h)]
                for h in sorted(STEPS, reverse=True)
            ]
            error = np.zeros(ours.size)
            for wide, narrow in pairwise(sides):
                slopes = np.array([*wide, *narrow])
                least = np.min(np.abs(slopes - ours), axis=0)
                error = np.where(np.ptp(slopes, axis=0) <= ALIKE * least, np.maximum(error, least), error)
            allowed = COARSE * (self.terms(d) + np.abs(self.start)) + np.finfo(float).tiny
        return ours + error, error, allowed

    def _off(self, slopes: list[np.ndarray], ours: np.ndarray, noise: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """Tell which rows disagree with the differences at all steps."""
        pairs = zip(slopes, STEPS, strict=False)
        return np.all([np.abs(slope - ours) > SAFETY * noise / h + coarse for slope, h in pairs], axis=0)

    def _steady(self, d: np.ndarray, h: float, ours: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Tell in which rows the derivative is nearly the same all over a step, measured by how far off it is."""
        rng = np.random.default_rng(SAMPLES)
        varies = np.zeros(ours.size)
        for t in rng.uniform(-1.0, 1.0, SAMPLES):
            varies = np.maximum(varies, np.abs(self.elsewhere(self.x + t * h * d, d) - ours))
        return STEADY * varies <= np.abs(slope - ours)

    def culprit(self, d: np.ndarray, row: int) -> int:
        """Return a column that explains why a row is refuted, by halving the direction."""

        def off(part: np.ndarray) -> bool:
            _, error, allowed = self.refuted(part)
            return bool(error[row] > allowed[row])

        return halved(np.flatnonzero(d), d, off)


def _alike(slopes: list[np.ndarray], ours: np.ndarray, counts: Sequence[np.ndarray | bool]) -> np.ndarray:
    """Tell in which rows two differences in a row that count agree better with one another than with ours."""
    off = [np.abs(slope - ours) for slope in slopes]
    pairs = [(j, k, np.minimum(off[j], off[k])) for j, k in pairwise(range(len(slopes)))]
    alike = [np.abs(slopes[j] - slopes[k]) <= ALIKE * least for j, k, least in pairs]
    return np.any([a & counts[j] & counts[k] for a, (j, k, _) in zip(alike, pairs, strict=True)], axis=0)


def halved(columns: np.ndarray, v: np.ndarray, off: Callable[[np.ndarray], bool]) -> int:
    """Return a column whose part of v is off, by halving the set of columns."""
    while columns.size > 1:
        half = columns[: columns.size // 2]
        part = np.zeros(v.size)
        part[half] = v[half]
        columns = half if off(part) else columns[columns.size // 2 :]
    return int(columns[0])
