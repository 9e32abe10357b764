"""What is measured on a device: problems at sizes, and small ones at many points, in the order of their importance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.stiff import hires, robertson
from sparsead.problems import PROBLEMS, Problem


@dataclass(frozen=True)
class Case:
    """A matrix: of a problem at a size, in a mode; at some `points` if it is a batch, which lie along `axis`.

    A `heavy` one takes most of the time there is to be prepared.
    """

    name: str
    size: int
    mode: str = "direct"
    points: int = 0
    axis: int = -1
    heavy: bool = False

    @property
    def label(self) -> str:
        many = f"{self.points:,} points, {'last' if self.axis else 'first'}"
        return f"{self.name} {self.size:,}, {many if self.points else self.mode}"

    def problem(self) -> Problem:
        return SMALL[self.name]() if self.name in SMALL else PROBLEMS[self.name](self.size)

    def point(self, problem: Problem) -> np.ndarray:
        """Return where the matrix is computed, or all points of a batch."""
        x = problem.x0 + 0.01
        if not self.points:
            return x
        factors = np.linspace(0.9, 1.1, self.points)
        return np.multiply.outer(x, factors) if self.axis else np.multiply.outer(factors, x)


def _small(name: str, f: Any, size: int) -> Problem:
    return Problem(name, name, str(f.__doc__), "jacobian", f, np.linspace(0.2, 0.9, size))


SMALL = {"hires": lambda: _small("hires", hires, 8), "robertson": lambda: _small("robertson", robertson, 3)}
CASES = (
    Case("brusselator", 1024),
    Case("hires", 8, points=1_000_000),
    Case("cavity", 255),
    Case("hyperelastic", 16),
    Case("brusselator", 4096, heavy=True),
    Case("burgers", 10_000_000, heavy=True),
    Case("bratu", 200, heavy=True),
    Case("rosenbrock", 30_000_000, heavy=True),
    Case("minimal-surface", 2000, heavy=True),
    Case("brusselator", 256),
    Case("brusselator", 32, points=20_000, axis=0),
    Case("hires", 8, points=1_000_000, axis=0),
    Case("robertson", 3, points=1_000_000),
    Case("bratu", 50),
    Case("burgers", 100_000),
    Case("power-flow", 3000),
    Case("minimal-surface", 1000),
    Case("brusselator", 8, points=50_000, axis=0),
    Case("brusselator", 1024, mode="forward"),
)
CALLED = (  # small ones, and one with many arrays: what a call takes Python
    Case("brusselator", 128),
    Case("cavity", 64),
    Case("minimal-surface", 64),
    Case("burgers", 1000),
    Case("hyperelastic", 4),
    Case("hires", 8, points=1000),
)
