"""The block of a rank in a PETSc grid: which unknowns its local array holds, and in which order its rows are."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsead.errors import InputError


@dataclass(frozen=True, eq=False)
class Grid:
    """What a function is written for: all unknowns (`reads` is None), or a block of them.

    Attributes
    ----------
    reads : ndarray of int or None
        The number of the unknown at each place of the block.
    owned : int
        How many rows the rank owns.
    shape : tuple of int or None
        The shape of the own part, where PETSc numbers it the other way round than NumPy: the first axis runs fastest,
        but the last one, of the unknowns at a point, before it.
    """

    reads: np.ndarray | None = None
    owned: int = 0
    shape: tuple[int, ...] | None = None
    points: int = 0  # how many axes are axes of the grid
    block: int = 1  # unknowns that belong together: PETSc stores dense blocks of this size

    @property
    def blocks(self) -> bool:
        """Whether a function is one of the rank's block, not of all unknowns."""
        return self.reads is not None

    @classmethod
    def of(cls, dm: Any, reads: Any, owned: int | None, block: int) -> Grid:
        """Return the block that a user describes, by a DMDA or by numbers."""
        if (reads is None) != (owned is None) or (dm is not None and reads is not None):
            raise InputError("a block is given by dm, or by reads and owned together")
        made = cls(None if reads is None else np.asarray(reads), int(owned or 0)) if dm is None else cls.of_dmda(dm)
        return replace(made, block=operator.index(block))

    @classmethod
    def of_dmda(cls, dm: Any) -> Grid:
        """Return the block of a rank in a DMDA; places outside of the grid hold zero."""
        dof = dm.getDof()
        (_, own), (_, local) = dm.getCorners(), dm.getGhostCorners()
        unknowns = (dof,) if dof > 1 else ()
        last = (len(local),) if dof > 1 else ()
        numbers = np.array(dm.getLGMap().getIndices(), np.int64).reshape(*local[::-1], *unknowns)
        reads = numbers.transpose(*reversed(range(len(local))), *last)
        shape = (*own, *unknowns)
        return cls(reads, int(np.prod(shape, dtype=np.int64)), shape, len(own))

    def in_rows(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the block, its value in the order of the rows."""
        if self.shape is None:
            return f
        shape, last = self.shape, range(self.points, len(self.shape))

        def rows(*args: Any) -> Any:
            value = f(*args)
            if np.shape(value) != shape:
                raise InputError(f"the own part of the grid has shape {shape}, the function returned {np.shape(value)}")
            return np.ravel(np.transpose(value, (*reversed(range(self.points)), *last)))

        rows.__name__ = getattr(f, "__name__", "f")
        return rows
