"""Problems from the literature, as plain NumPy functions: for the demo, the tests and the benchmarks.

>>> from sparsead.problems import PROBLEMS
>>> problem = PROBLEMS["brusselator"](16)
>>> problem.f(problem.x0, *problem.args).shape
(512,)
"""

from __future__ import annotations

from collections.abc import Callable

from sparsead.problems.base import Problem
from sparsead.problems.bratu import bratu
from sparsead.problems.brusselator import brusselator
from sparsead.problems.cavity import cavity
from sparsead.problems.minimal_surface import minimal_surface
from sparsead.problems.rosenbrock import rosenbrock

PROBLEMS: dict[str, Callable[[int], Problem]] = {
    "bratu": bratu,
    "brusselator": brusselator,
    "cavity": cavity,
    "minimal-surface": minimal_surface,
    "rosenbrock": rosenbrock,
}

__all__ = ["PROBLEMS", "Problem", "bratu", "brusselator", "cavity", "minimal_surface", "rosenbrock"]
