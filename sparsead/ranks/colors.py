"""Colors of columns whose rows are spread over ranks: the same for any number of ranks.

First fit in an order that does not depend on the ranks: a column is colored when all that come before it and share a
row with it are. So there are no conflicts to repair; a rank waits for colors of others, which come in turns.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.sparse

from coloring.kernels import jones_plassmann
from sparsead.errors import InputError
from sparsead.ranks.agreement import agreed_partition
from sparsead.ranks.collective import agree, communicator, together
from sparsead.ranks.exchange import TAG, Exchange, Plan
from sparsead.ranks.partition import Partition
from sparsead.ranks.prepare import exchange_of


class DistributedColors:
    """Colors of the columns of a matrix over ranks: those that share a row differ. Made by `color_columns`.

    Attributes
    ----------
    colors : ndarray of int
        Of the own columns.
    num_colors : int
        How many there are over all ranks.
    of_entries : ndarray of int
        The color of the column of each entry of the own rows, in their order.
    turns : int
        How often colors were exchanged.
    """

    def __init__(self, colors: np.ndarray, num_colors: int, indptr: np.ndarray, of_entries: np.ndarray) -> None:
        self.colors, self.num_colors, self.of_entries = colors, num_colors, of_entries
        self._rows = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))
        self.turns = 0

    def seeds(self) -> np.ndarray:
        """Return the own part of the vectors to multiply the matrix with, (own columns, colors)."""
        return (self.colors[:, None] == np.arange(self.num_colors)).astype(np.float64)

    def recovered(self, products: np.ndarray) -> np.ndarray:
        """Return the entries of the own rows from the products of the matrix with the seeds, (own rows, colors)."""
        return products[self._rows, self.of_entries]


def color_columns(
    indptr: Any, indices: Any, *, columns: Partition, comm: Any = None, order: Literal["natural", "random"] = "natural"
) -> DistributedColors:
    """Color the columns of a matrix whose rows are spread over ranks, for compressed passes. Collective.

    Colors do not depend on the number of ranks: they are those of the greedy algorithm in the order that is asked
    for.

    Parameters
    ----------
    indptr, indices : ndarray of int
        The structure of the rows that this rank owns; columns are numbers of unknowns.
    columns : Partition
        Who owns which columns.
    comm : mpi4py.MPI.Comm, optional
        The communicator; by default all ranks.
    order : str
        ``"natural"``: by number, which takes few colors, while ranks that are neighbors color one after the other.
        ``"random"``: shuffled, alike on all ranks, which takes more colors and few turns.

    Returns
    -------
    DistributedColors

    Raises
    ------
    RankError
        On all ranks, if anything fails on one.
    """
    comm = communicator(comm)
    agree(comm, lambda: {"order": order}, "color_columns")
    columns = agreed_partition(comm, columns, None, "the columns")
    indptr, indices = together(comm, lambda: _checked(indptr, indices, columns, order))
    own = columns.own(comm.rank)
    read = np.union1d(indices, np.arange(own.start, own.stop))
    plan = exchange_of(comm, read, columns).plan
    rows = _touching(comm, _structure(indptr, indices, columns.size), plan, columns)
    numbers = np.union1d(rows.indices, read)
    exchange = exchange_of(comm, numbers, columns)
    colors, turns = _in_turns(comm, rows, numbers, exchange, order)
    most = comm.allgather(int(colors.max(initial=-1)))
    here = exchange.plan.own
    found = DistributedColors(colors[here], max(most) + 1, indptr, colors[np.searchsorted(numbers, indices)])
    found.turns = turns
    return found


def _checked(indptr: Any, indices: Any, columns: Partition, order: str) -> tuple[np.ndarray, np.ndarray]:
    if order not in ("natural", "random"):
        raise InputError(f"order is 'natural' or 'random', not {order!r}")
    starts, numbers = np.asarray(indptr), np.asarray(indices)
    if starts.ndim != 1 or starts.size == 0 or starts[0] != 0 or starts[-1] != numbers.size:
        raise InputError(f"indptr says {starts[-1] if starts.size else 0} entries, indices has {numbers.size}")
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < columns.size):
        worst = int(numbers.min()) if numbers.min() < 0 else int(numbers.max())
        raise InputError(f"a row has an entry in column {worst}, but there are {columns.size}, numbered from 0")
    return starts.astype(np.int64), numbers.astype(np.int64)


def _touching(comm: Any, own: Any, plan: Plan, columns: Partition) -> Any:
    """Return the own rows, and after them those of others in which columns of this rank have entries."""
    requests = []
    for rank, _ in plan.received:
        theirs = columns.own(rank)
        mask = (own.indices >= theirs.start) & (own.indices < theirs.stop)
        rows = own[np.unique(np.repeat(np.arange(own.shape[0]), np.diff(own.indptr))[mask])]
        requests.append(comm.isend((rows.indptr, rows.indices), dest=rank, tag=TAG))
    parts = [(own.indptr, own.indices), *(comm.recv(source=rank, tag=TAG) for rank, _ in plan.sent)]
    for request in requests:
        request.wait()
    counts = np.concatenate([np.diff(starts) for starts, _ in parts])
    indices = np.concatenate([numbers for _, numbers in parts])
    starts = np.concatenate([[0], np.cumsum(counts)])
    return _structure(starts, indices, columns.size)


def _structure(indptr: np.ndarray, indices: np.ndarray, columns: int) -> Any:
    entries = np.ones(indices.size, np.bool_)
    return scipy.sparse.csr_array((entries, indices, indptr), shape=(indptr.size - 1, columns))


def _in_turns(comm: Any, rows: Any, numbers: np.ndarray, exchange: Exchange, order: str) -> tuple[np.ndarray, int]:
    """Return the colors of the columns `numbers`: in every turn, what waits for nothing is colored, and sent."""
    local = np.searchsorted(numbers, rows.indices)
    shape = (rows.shape[0], numbers.size)
    by_column = scipy.sparse.csr_array((rows.data, local, rows.indptr), shape=shape).tocsc()
    when = numbers.astype(np.uint64) if order == "natural" else _shuffled(numbers)
    here = exchange.plan.own
    mine = here.start + np.argsort(when[here], kind="stable")
    structure = [a.astype(np.int64) for a in (by_column.indptr, by_column.indices, rows.indptr, local)]
    colors, turns, left = np.full(numbers.size, -1, np.int64), 0, 1
    while left:
        here_left = together(comm, lambda: jones_plassmann.color_ready(*structure, mine, when, colors))
        (found,) = exchange.gathered([colors[here].astype(np.float64)])
        colors[:] = found
        left, turns = comm.allreduce(int(here_left)), turns + 1
    return colors, turns


def _shuffled(numbers: np.ndarray) -> np.ndarray:
    """Return keys that no two numbers share and that look random (splitmix64), the same on every rank."""
    z = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
