"""What a problem is: a function, a point, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from sparsead.errors import InputError


@dataclass(frozen=True)
class Problem:
    """A function of the literature at a chosen size.

    Attributes
    ----------
    name, title, reference : str
        The short name, one line on what it is, and the publication it is taken from.
    derivative : {"jacobian", "hessian"}
        What one wants of it.
    f : callable
        ``f(x, *args)``, plain NumPy.
    x0 : ndarray
        The starting point of the literature.
    args : tuple
        The other arguments.
    """

    name: str
    title: str
    reference: str
    derivative: Literal["jacobian", "hessian"]
    f: Callable[..., Any]
    x0: np.ndarray
    args: tuple[Any, ...] = ()


class Sizes(NamedTuple):
    """Sizes at which a problem is used.

    Attributes
    ----------
    least : int
        The smallest that there is.
    picture : int
        One whose matrix is legible entry by entry.
    demo : int
        One that takes seconds with all checks.
    bench : int
        One that is large enough to be measured: some 10^4 to 10^6 unknowns.
    """

    least: int
    picture: int
    demo: int
    bench: int


def check_size(size: int, at_least: int = 1) -> int:
    """Return the size of a problem.

    Raises
    ------
    InputError
        If it is not an integer, or less than the problem needs.
    """
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
        raise InputError(f"the size of a problem is an integer, got {size!r}")
    if size < at_least:
        raise InputError(f"the size of this problem must be at least {at_least}, got {size}")
    return int(size)
