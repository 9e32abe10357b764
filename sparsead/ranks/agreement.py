"""What all ranks must have alike before anything is prepared: arguments, partitions."""

from __future__ import annotations

import operator
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparsead.errors import InputError
from sparsead.ranks.collective import all_say, together
from sparsead.ranks.partition import Partition
from sparsead.ranks.rows import require_spread
from sparsead.tracing import trees
from sparsead.tracing.trees import Fixed


def described(comm: Any, args: tuple[Any, ...], spread: Sequence[int], root: int) -> dict[str, Any]:
    """Return of the arguments, x first, what has to be the same on all ranks: that on which the trace depends."""
    x0, *others = args
    if np.asarray(x0).dtype.kind not in "fiub":
        raise InputError(f"over ranks x0 is one array of real numbers, got {type(x0).__name__}: make one array of it")
    require_spread(spread, len(args))
    if not 0 <= operator.index(root) < comm.size:
        raise InputError(f"root is {root}, but there are {comm.size} ranks, numbered from 0")
    found = {"the number of arguments": len(others), "the shape of x0": np.shape(x0), "spread": tuple(spread)}
    return found | {"root": root} | {f"argument {k}": _kind(arg) for k, arg in enumerate(others, start=1)}


def _kind(arg: Any) -> Any:
    """Return what a trace takes for fixed: shapes of arrays of floats, values of small things, types of others."""

    def one(part: trees.Structure) -> Any:
        if isinstance(part, Fixed):
            return _fixed(part.value)
        return {k: one(child) for k, child in part.children.items()} if isinstance(part, trees.Branch) else part.shape

    return one(trees.structure(arg))


def _fixed(value: Any) -> Any:
    if isinstance(value, (int, str, bytes, bool, complex, type(None))):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "iub":
        return f"an array of {value.dtype}, {value.shape}, checksum {zlib.crc32(value.tobytes()):08x}"
    return type(value).__name__


def partitions_of(comm: Any, entry: str, *sizes: int) -> list[Partition]:
    """Return the partitions in which each rank owns as many numbers as it says; collective."""

    def whole() -> list[int]:
        for size in sizes:
            if operator.index(size) < 0:
                raise InputError(f"a rank cannot own {size} of anything")
        return [int(size) for size in sizes]

    return [Partition.of_sizes(said) for said in zip(*all_say(comm, whole, entry), strict=True)]


def agreed_partition(comm: Any, partition: Partition, size: int | None, what: str, entry: str = "") -> Partition:
    """Return a partition after a look at its sizes, and at what the other ranks think that they own; collective."""

    def own() -> tuple[int, int]:
        if not isinstance(partition, Partition):
            raise InputError(
                f"the partition of {what} is a Partition of sparsead.ranks, got {type(partition).__name__}"
            )
        partition.require(partition.size if size is None else size, comm.size, what)
        return partition.own(comm.rank).start, partition.own(comm.rank).stop

    claimed = all_say(comm, own, entry)

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
