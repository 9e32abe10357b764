"""What the check of a preparation asks of what it checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sparsead.checking.rows import ALL

Product = Callable[[np.ndarray], np.ndarray]


class Subject(Protocol):
    """What is checked; points are flat.

    Attributes
    ----------
    title : str
        What it is, in words.
    start : ndarray, shape (n,)
        The example point.
    order : int
        1 where products with the first derivative are given, 2 where those with the second.
    may_search : bool
        Whether recorded branches, or choices, may be those of a search, whose steps are all that the function has.
    """

    title: str
    start: np.ndarray
    order: int
    may_search: bool

    def function(self, x: np.ndarray) -> Any:
        """Call the user's function on plain arrays."""

    def flat(self, value: Any) -> np.ndarray:
        """Return a value of the function as one vector; raise what should be raised of it."""

    def value(self, x: np.ndarray, rounding: np.random.Generator | None = None) -> np.ndarray:
        """Return the value of what was traced, flat; perhaps disturbed by rounding."""

    def compiled_value(self, x: np.ndarray) -> np.ndarray | None:
        """Return the value by compiled code, which may round otherwise; None where that is not worth its while."""

    def slope(self, x: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Return the derivative at x along d: ``J @ d``, or ``d @ H @ d``."""

    def terms(self, rows: Any, d: np.ndarray) -> np.ndarray:
        """Return the sums of the sizes of the terms of ``J @ d`` in some rows, where the slope was asked for last."""

    def sizes(self, x: np.ndarray) -> Callable[[Any, np.ndarray], np.ndarray]:
        """Return `terms` of the matrix at x; until another is asked for."""

    def belongs(self, x: np.ndarray) -> bool:
        """Tell whether the function takes the branches there that were traced."""

    def is_finite(self, x: np.ndarray) -> bool:
        """Tell whether all that the function computes there was traced, and is finite."""

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient at x, where second derivatives are checked."""

    def times(self, x: np.ndarray, rows: Any = ALL) -> tuple[Product, Product]:
        """Return the products of the matrix at x, and of the matrix of the sizes of its entries; in some rows."""

    def lines(self, row: int) -> str:
        """Say which lines of the user's code make up a row."""

    def couplings(self, row: int) -> str:
        """Say which lines make up a row of second derivatives."""
