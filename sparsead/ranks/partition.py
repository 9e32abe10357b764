"""Who owns what: the numbers 0, 1, .. in blocks that follow one another, one block a rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.errors import InputError


@dataclass(frozen=True, eq=False)
class Partition:
    """A partition of unknowns or of equations among ranks, as PETSc has it: rank r owns a block of numbers.

    Attributes
    ----------
    starts : ndarray, shape (ranks + 1,)
        Rank r owns the numbers from ``starts[r]`` up to, not including, ``starts[r + 1]``.

    Examples
    --------
    >>> Partition.of_sizes([3, 2]).own(1)
    range(3, 5)
    >>> Partition.even(10, 4).sizes.tolist()
    [3, 3, 2, 2]
    """

    starts: np.ndarray

    def __post_init__(self) -> None:
        starts = np.asarray(self.starts)
        if starts.ndim != 1 or starts.size < 2 or starts.dtype.kind not in "iu":
            raise InputError(f"a partition has an integer more than there are ranks, got shape {starts.shape}")
        if starts[0] != 0 or (np.diff(starts.astype(np.int64)) < 0).any():
            raise InputError(f"a partition starts at 0 and never goes back, got {_shown(starts)}")
        object.__setattr__(self, "starts", starts.astype(np.int64))

    @classmethod
    def of_sizes(cls, sizes: Sequence[int]) -> Partition:
        """Return the partition in which rank r owns ``sizes[r]`` numbers."""
        return cls(np.concatenate([[0], np.cumsum(np.asarray(sizes, np.int64))]))

    @classmethod
    def even(cls, size: int, ranks: int) -> Partition:
        """Return PETSc's partition: equal sizes, the first ranks own one more where that does not come out even."""
        if ranks < 1 or size < 0:
            raise InputError(f"cannot divide {size} numbers among {ranks} ranks")
        return cls.of_sizes([size // ranks + (rank < size % ranks) for rank in range(ranks)])

    @property
    def ranks(self) -> int:
        """How many ranks there are."""
        return self.starts.size - 1

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(self.starts[-1])

    @property
    def sizes(self) -> np.ndarray:
        """How many numbers each rank owns."""
        return np.diff(self.starts)

    def own(self, rank: int) -> range:
        """Return what a rank owns."""
        return range(int(self.starts[rank]), int(self.starts[rank + 1]))

    def require(self, size: int, ranks: int, what: str) -> None:
        """Raise InputError unless the partition is one of so many numbers, among so many ranks."""
        if self.ranks != ranks:
            raise InputError(f"the partition of {what} is for {self.ranks} ranks, the communicator has {ranks}")
        if self.size != size:
            raise InputError(f"the partition of {what} is of {self.size}, but there are {size}")

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Partition) and np.array_equal(self.starts, other.starts)

    __hash__ = None  # type: ignore[assignment]


def _shown(starts: np.ndarray) -> str:
    shown = ", ".join(map(str, starts[:8].tolist()))
    return f"[{shown}{', ..' if starts.size > 8 else ''}]"
