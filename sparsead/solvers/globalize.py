"""How far to go along a Newton step: the whole way, a line search, a trust region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

DECREASE = 1e-4  # Armijo's constant
SHORTEST = 1e-10  # of a step's length: where a line search gives up


@dataclass(frozen=True)
class Trial:
    """Where a step led: the new point, its residual, the share of the Newton step, and evaluations of f."""

    x: np.ndarray
    F: np.ndarray
    share: float
    evaluations: int


class Linear(Protocol):
    """The Jacobian at the current point, as far as a step needs it."""

    def matvec(self, v: np.ndarray) -> np.ndarray:
        """Return ``J @ v``."""

    def rmatvec(self, v: np.ndarray) -> np.ndarray:
        """Return ``J.T @ v``."""


Residual = Callable[[np.ndarray], np.ndarray]


def full_step(f: Residual, x: np.ndarray, F: np.ndarray, step: np.ndarray, J: Linear) -> Trial | None:
    """Take the whole step if f is finite at its end."""
    new = f(x + step)
    return Trial(x + step, new, 1.0, 1) if np.all(np.isfinite(new)) else None


def line_search(f: Residual, x: np.ndarray, F: np.ndarray, step: np.ndarray, J: Linear) -> Trial | None:
    """Shorten the step until ``|F|`` falls by Armijo's rule; f may be undefined (NaN) on the way."""
    before, t, evaluations = float(F @ F), 1.0, 0
    while t > SHORTEST:
        new = f(x + t * step)
        evaluations += 1
        after = float(new @ new)
        if after <= (1.0 - 2.0 * DECREASE * t) * before:  # the slope of |F|^2 along the Newton step is -2 |F|^2
            return Trial(x + t * step, new, t, evaluations)
        # The minimum of the parabola through both values and the slope, kept within bounds.
        t *= float(np.clip(before * t / (after - before + 2.0 * t * before), 0.1, 0.5)) if np.isfinite(after) else 0.25
    return None


class Dogleg:
    """Powell's dogleg: between steepest descent and the Newton step, within a radius that is learnt."""

    def __init__(self) -> None:
        self._radius: float | None = None

    def __call__(self, f: Residual, x: np.ndarray, F: np.ndarray, step: np.ndarray, J: Linear) -> Trial | None:
        """Return the first step within the radius that lowers ``|F|`` as far as the linear model promises."""
        length, before = float(np.linalg.norm(step)), float(F @ F)
        self._radius = length if self._radius is None else self._radius
        g = J.rmatvec(F)
        Jg = J.matvec(g)
        descent = -(g @ g) / (Jg @ Jg) * g if np.any(Jg) else np.zeros_like(g)
        evaluations, floor = 0, SHORTEST * min(length, self._radius)
        while self._radius > floor:
            p = _within(descent, step, self._radius)
            new = f(x + p)
            evaluations += 1
            after, model = float(new @ new), F + J.matvec(p)
            promised = before - float(model @ model)
            ratio = (before - after) / promised if np.isfinite(after) and promised > 0 else -1.0
            size = float(np.linalg.norm(p))
            if ratio < 0.25:
                self._radius = 0.25 * size
            elif ratio > 0.75 and size > 0.99 * self._radius:
                self._radius *= 2.0
            if ratio > DECREASE:
                return Trial(x + p, new, size / length if length else 1.0, evaluations)
        return None


def _within(descent: np.ndarray, newton: np.ndarray, radius: float) -> np.ndarray:
    """Return the point where the path 0, descent, newton leaves the ball of a radius."""
    if np.linalg.norm(newton) <= radius:
        return newton
    length = float(np.linalg.norm(descent))
    if length >= radius:
        return descent * (radius / length)
    d = newton - descent
    a, b, c = float(d @ d), float(descent @ d), length**2 - radius**2
    return descent + d * ((-b + np.sqrt(max(b * b - a * c, 0.0))) / a)


def globalization(name: str | None) -> Any:
    """Return the rule of a name; None when there is none of that name."""
    return {"line-search": line_search, "dogleg": Dogleg(), None: full_step}.get(name)
