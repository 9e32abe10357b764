"""Failures that all ranks hear of: what one rank cannot do, no rank goes on from, and none waits for it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np

from sparsead.errors import SparseADError
from sparsead.extras import optional

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


@cache
def _key() -> int:
    return int(optional("mpi4py.MPI").Comm.Create_keyval())


@cache
def _count() -> int:
    return int(optional("mpi4py.MPI").Comm.Create_keyval())


def communicator(comm: Any) -> Any:
    """Return a duplicate of a communicator, by default of all ranks, for our messages alone. Collective the first time.

    So no receive of the program takes a message of ours. The duplicate is kept with the communicator.
    """
    comm = optional("mpi4py.MPI").COMM_WORLD if comm is None else comm
    found = comm.Get_attr(_key())
    if found is None:
        found = comm.Dup()
        for one in (comm, found):
            one.Set_attr(_key(), found)
    return found


def prepared_over(comm: Any) -> int:
    """Return how many things were prepared over a communicator of ours before: the same number on all ranks."""
    count = comm.Get_attr(_count()) or 0
    comm.Set_attr(_count(), count + 1)
    return int(count)


def together(comm: Any, work: Callable[[], Found], entry: str = "") -> Found:
    """Do something without messages on every rank, and return what it gave here.

    Collective: three numbers are reduced, whether or not something fails. What users call begins with it, named by
    `entry`: ranks that call different things find that out before a message is sent.

    Raises
    ------
    RankError
        On all ranks, if it raises on any, or if `entry` differs.
    """
    failed: BaseException | None = None
    try:
        found = work()
    except BaseException as error:  # of whatever kind: the others wait for this rank
        failed = error
    code = zlib.crc32(entry.encode())
    mine, most = np.array([failed is not None, code, -code], np.int64), np.zeros(3, np.int64)
    comm.Allreduce(mine, most, optional("mpi4py.MPI").MAX)
    if not most[0] and most[1] == -most[2]:
        return found
    said = comm.allgather((entry, None if failed is None else _words(failed)))
    if failed is not None and not isinstance(failed, Exception):
        raise failed  # an end of the program or an interrupt, which the others have heard of
    if most[1] != -most[2]:
        said = [(entry, f"called {entry or 'something before'}; all ranks have to call the same") for entry, _ in said]
    raise RankError({rank: text for rank, (_, text) in enumerate(said) if text is not None}, comm.size) from failed


def _words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # one that cannot be printed
        return type(error).__name__


def all_say(comm: Any, work: Callable[[], Found], entry: str = "") -> list[Found]:
    """Return what `work` gives on every rank, small things; raise RankError on all ranks if it raises on any."""
    return list(comm.allgather(together(comm, work, entry)))


def agree(comm: Any, work: Callable[[], dict[str, Any]], entry: str = "") -> None:
    """Raise RankError on all ranks unless `work` describes the same things alike on all of them; collective."""
    every = all_say(comm, work, entry)

    def compare() -> None:
        for what, theirs in every[0].items():
            if (mine := every[comm.rank][what]) != theirs:
                raise ValueError(f"{what} is {mine} here, {theirs} on rank 0")

    together(comm, compare)
