"""A function of somebody else's package, and a derivative of it that we did not compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

Reference = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Real:
    """A function, a point, and an independent derivative.

    Attributes
    ----------
    f : callable
        The function as its package has it, with everything but x bound.
    x : ndarray
        Where the derivatives are compared.
    reference : callable
        Returns the Jacobian (or Hessian) at a point, sparse or dense.
    derivative : str
        ``"jacobian"`` or ``"hessian"``.
    tolerance : float
        Largest difference, relative to the largest entry: what the reference's own rounding allows.
    same_pattern : bool
        True if the reference stores exactly the entries that can be nonzero.
    """

    f: Callable[[Any], Any]
    x: np.ndarray
    reference: Reference
    derivative: str = "jacobian"
    tolerance: float = 1e-12
    same_pattern: bool = False


@dataclass(frozen=True)
class Case:
    """How to build a `Real`: its name, the packages it needs, what the reference is."""

    name: str
    packages: tuple[str, ...]
    against: str
    build: Callable[[], Real]

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [p for p in self.packages if find_spec(p) is None]


CASES: list[Case] = []


def case(name: str, *packages: str, against: str) -> Callable[[Callable[[], Real]], Callable[[], Real]]:
    """Register a function that builds a `Real`."""

    def register(build: Callable[[], Real]) -> Callable[[], Real]:
        CASES.append(Case(name, packages, against, build))
        return build

    return register
