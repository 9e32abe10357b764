"""What all ranks must have alike before anything is prepared: arguments, partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparsead.errors import InputError
from sparsead.ranks.collective import same, together
from sparsead.ranks.partition import Partition
from sparsead.tracing import trees
from sparsead.tracing.trees import Fixed


def require_same(comm: Any, x0: Any, args: tuple[Any, ...], spread: Sequence[int]) -> None:
    """Refuse arguments that are not the same on all ranks, as far as the trace depends on them."""
    same(comm, np.shape(x0), "the shape of x0")
    same(comm, tuple(spread), "spread")
    same(comm, len(args), "the number of arguments")
    for k, arg in enumerate(args, start=1):
        same(comm, _kind(arg), f"argument {k}")


def _kind(arg: Any) -> Any:
    """Return what a trace takes for fixed: shapes of arrays of floats, values of small things, types of others."""

    def one(part: trees.Structure) -> Any:
        if isinstance(part, Fixed):
            simple = isinstance(part.value, (int, str, bytes, bool, complex, type(None)))
            return part.value if simple else type(part.value).__name__
        return {k: one(child) for k, child in part.children.items()} if isinstance(part, trees.Branch) else part.shape

    return one(trees.structure(arg))


def agreed_partition(comm: Any, partition: Partition, size: int, what: str) -> Partition:
    """Return a partition after a look at its sizes, and at what the other ranks think that they own."""
    together(comm, lambda: partition.require(size, comm.size, what))
    claimed = comm.allgather((partition.own(comm.rank).start, partition.own(comm.rank).stop))

    def compare() -> None:
        for rank, (start, stop) in enumerate(claimed):
            own = partition.own(rank)
            if (own.start, own.stop) != (start, stop):
                raise InputError(
                    f"the partitions of {what} differ: rank {rank} has {start} to {stop}, but "
                    f"{own.start} to {own.stop} in the partition of this rank"
                )

    together(comm, compare)
    return partition
