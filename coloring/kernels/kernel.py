"""How kernels run: interpreted while a process asks little of them, compiled by numba from then on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from ..cached import cached_property
from ..interrupts import uninterrupted

#: Numbers in the arrays that a process has kernels look at in Python: less than a tenth of a second, where
#: numba takes several to begin and to read or make the machine code of a few kernels.
INTERPRETED = 1 << 16


class Kernel:
    """A function on plain arrays, which other kernels may call.

    It is compiled once that pays, for good, and is not interrupted then: numba loses an exception that comes while
    it unpacks arrays.  The results are the same either way.  Other threads run on meanwhile.

    Parameters
    ----------
    function : callable
        What to run: Python that numba compiles, positional arguments only.
    work : callable, optional
        From the arguments to how many numbers the function looks at; by default as many as its arrays have.
    """

    __name__: str

    def __init__(self, function: Callable[..., Any], work: Callable[..., int] | None = None) -> None:
        update_wrapper(self, function)
        self.function = function
        self._work = work or _numbers
        self._run: Callable[..., Any] | None = None

    @cached_property
    def compiled(self) -> Any:
        """The function as numba has it, which compiles it for the types of a call, or reads it from its cache."""
        from numba import njit

        return njit(cache=True, nogil=True)(self.function)

    @property
    def _numba_type_(self) -> Any:
        """What kernels that are compiled take this one for."""
        return getattr(self.compiled, "_numba_type_", None)

    def __call__(self, *args: Any) -> Any:
        """Run the function."""
        if self._run is not None:
            return self._run(*args)
        if _here.interpreting:
            return self.function(*args)
        if _spent.takes(self._work(*args)):
            return _interpreted(self.function, args)
        self._run = uninterrupted(self.compiled)
        return self._run(*args)


class _Spent:
    """What has been interpreted so far."""

    numbers = 0

    def takes(self, more: int) -> bool:
        """Whether so much more may be interpreted; it is counted then."""
        if self.numbers + more > INTERPRETED:
            return False
        self.numbers += more
        return True


class _Here(threading.local):
    """Whether this thread is inside a kernel that is interpreted, as are those that it calls."""

    interpreting = False


_spent = _Spent()
_here = _Here()


def _interpreted(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    _here.interpreting = True
    try:
        with np.errstate(all="ignore"):  # as compiled code
            return function(*args)
    finally:
        _here.interpreting = False


def _numbers(*args: Any) -> int:
    """Count the numbers in arrays; a neighborhood says itself how many it looks at."""
    return sum(arg.size if isinstance(arg, np.ndarray) else getattr(arg, "work", 1) for arg in args)
