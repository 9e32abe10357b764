"""Failures that all ranks hear of: what one rank cannot do, no rank goes on from, and none waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from sparsead.errors import SparseADError

Found = TypeVar("Found")


class RankError(SparseADError, RuntimeError):
    """Something failed on at least one rank; raised on all of them.

    Attributes
    ----------
    failures : dict of int to str
        The ranks on which it failed, and what was raised there.
    """

    refuses = False

    def __init__(self, failures: dict[int, str], ranks: int) -> None:
        self.failures, self.ranks = failures, ranks
        shown = [f"rank {rank} of {ranks}: {text}" for rank, text in list(failures.items())[:4]]
        more = f"\nand on {len(failures) - len(shown)} more ranks" if len(failures) > len(shown) else ""
        super().__init__("\n".join(shown) + more)

    def __reduce__(self) -> Any:
        return type(self), (self.failures, self.ranks)


def together(comm: Any, work: Callable[[], Found]) -> Found:
    """Do something without messages on every rank, and return what it gave here.

    Collective: one number is reduced, whether or not something fails.

    Raises
    ------
    RankError
        On all ranks, if it raises on any.
    """
    failed: Exception | None = None
    try:
        found = work()
    except Exception as error:  # of whatever kind: the others wait for this rank
        failed = error
    bad = np.array([failed is not None], np.int64)
    anywhere = np.zeros(1, np.int64)
    comm.Allreduce(bad, anywhere)
    if not anywhere[0]:
        return found
    said = comm.allgather(None if failed is None else f"{type(failed).__name__}: {failed}")
    raise RankError({rank: text for rank, text in enumerate(said) if text is not None}, comm.size) from failed


def same(comm: Any, value: Any, what: str) -> None:
    """Raise RankError on all ranks unless they all hold the same value, which is small; collective."""
    values = comm.allgather(value)

    def compare() -> None:
        if value != values[0]:
            raise ValueError(f"{what} is {value} here, {values[0]} on rank 0")

    together(comm, compare)
