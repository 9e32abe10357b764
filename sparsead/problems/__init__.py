"""Problems from the literature, as plain NumPy functions: for the demo, the tests and the benchmarks.

>>> from sparsead.problems import PROBLEMS, SIZES
>>> problem = PROBLEMS["brusselator"](16)
>>> problem.f(problem.x0, *problem.args).shape
(512,)
>>> SIZES["brusselator"].demo
128
"""

from __future__ import annotations

from collections.abc import Callable

from sparsead.problems.base import Problem, Sizes
from sparsead.problems.bratu import bratu
from sparsead.problems.broyden import broyden
from sparsead.problems.brusselator import brusselator
from sparsead.problems.burgers import burgers, burgers_2d
from sparsead.problems.cavity import cavity
from sparsead.problems.hyperelastic import hyperelastic
from sparsead.problems.minimal_surface import minimal_surface
from sparsead.problems.power_flow import power_flow
from sparsead.problems.rosenbrock import rosenbrock

PROBLEMS: dict[str, Callable[[int], Problem]] = {
    "bratu": bratu,
    "broyden": broyden,
    "brusselator": brusselator,
    "burgers": burgers,
    "burgers-2d": burgers_2d,
    "cavity": cavity,
    "hyperelastic": hyperelastic,
    "minimal-surface": minimal_surface,
    "power-flow": power_flow,
    "rosenbrock": rosenbrock,
}

SIZES: dict[str, Sizes] = {
    "bratu": Sizes(least=1, picture=4, demo=32, bench=50),
    "broyden": Sizes(least=1, picture=24, demo=10_000, bench=100_000),
    "brusselator": Sizes(least=1, picture=6, demo=128, bench=256),
    "burgers": Sizes(least=1, picture=24, demo=20_000, bench=100_000),
    "burgers-2d": Sizes(least=1, picture=8, demo=128, bench=256),
    "cavity": Sizes(least=1, picture=5, demo=64, bench=255),
    "hyperelastic": Sizes(least=1, picture=2, demo=8, bench=16),
    "minimal-surface": Sizes(least=1, picture=8, demo=200, bench=300),
    "power-flow": Sizes(least=1, picture=2, demo=100, bench=500),
    "rosenbrock": Sizes(least=2, picture=24, demo=100_000, bench=1_000_000),
}

__all__ = [
    "PROBLEMS", "SIZES", "Problem", "Sizes", "bratu", "broyden", "brusselator", "burgers", "burgers_2d", "cavity",
    "hyperelastic", "minimal_surface", "power_flow", "rosenbrock",
]  # fmt: skip
