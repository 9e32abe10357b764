"""Loops that fill an array with a constant, put off until somebody needs it: who owns an element may begin with it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np

from sparsead.emit.accesses import Accesses
from sparsead.emit.parsing import parse


@dataclass(eq=False)
class Fill:
    """Elements that are to be set to a constant.

    Attributes
    ----------
    loop : ast.For
        The loop that does.
    array, value : str
        The array by its name in the loop, and the code of the constant.
    left : ndarray
        As a mask: the elements that are not set yet.
    """

    loop: ast.For
    array: str
    value: str
    left: np.ndarray
    whole: bool = True

    @classmethod
    def of(cls, loop: ast.For, accesses: Accesses) -> Fill | None:
        """Return what a loop fills, if it does nothing else."""
        if len(accesses.found) != 1 or len(accesses.written) != 1:
            return None
        (access,) = accesses.found
        value = getattr(access.statement, "value", None)
        if access.kind != "store" or len(access.path) > 1 or not isinstance(value, ast.Constant):
            return None
        left = np.zeros(int(access.slot.max()) + 1, np.bool_)
        left[access.slot] = True
        return cls(loop, access.array, ast.unparse(value), left)

    def covers(self, elements: np.ndarray) -> bool:
        """Tell whether all elements of a mask wait for the constant."""
        size = min(elements.size, self.left.size)
        return bool(elements.any() and not elements[size:].any() and self.left[:size][elements[:size]].all())

    def leave_out(self, elements: np.ndarray) -> None:
        """Forget the elements of a mask, which somebody else sets."""
        size = min(elements.size, self.left.size)
        left = self.left[:size]
        self.whole &= not (left & elements[:size]).any()
        left[elements[:size]] = False

    def remaining(self, code: str) -> ast.For:
        """Return the loop over the elements that are left; `code` is an element by ``turn``."""
        text = f"for turn in range({int(self.left.sum())}):\n    {self.array}[{code}] = {self.value}"
        (loop,) = parse(text).body
        assert isinstance(loop, ast.For)
        return loop
