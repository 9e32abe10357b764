"""Ghost values: who sends which of its unknowns to whom, and the messages.

A rank lists the numbers of all unknowns that it reads, sorted; those of one owner then stand next to each other, so
that a message is received straight into its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.errors import InputError
from sparsead.ranks.partition import Partition

TAG = 7721  # of our messages


@dataclass(frozen=True, eq=False)
class Plan:
    """Which values a rank receives and sends.

    Attributes
    ----------
    size : int
        The number of values that the rank reads: its own and ghosts.
    own : slice
        Where its own stand among them.
    received : tuple of (int, slice)
        From which rank, and where they stand.
    sent : tuple of (int, ndarray)
        To which rank, and which of its own.
    """

    size: int
    own: slice
    received: tuple[tuple[int, slice], ...]
    sent: tuple[tuple[int, np.ndarray], ...] = ()

    @property
    def ghosts(self) -> int:
        """The number of values that come from others."""
        return self.size - (self.own.stop - self.own.start)


def wanted(numbers: np.ndarray, partition: Partition, rank: int) -> Plan:
    """Return what a rank receives, if it reads the unknowns ``numbers``, sorted, all its own among them."""
    own = partition.own(rank)
    if numbers.size and (numbers[0] < 0 or numbers[-1] >= partition.size):
        worst = numbers[0] if numbers[0] < 0 else numbers[-1]
        raise InputError(f"rank {rank} reads unknown {worst}, but there are {partition.size}, numbered from 0")
    ends = np.searchsorted(numbers, partition.starts)
    if ends[rank + 1] - ends[rank] != len(own):
        raise InputError(f"rank {rank} owns {len(own)} unknowns, {ends[rank + 1] - ends[rank]} of them are listed")
    counts = np.diff(ends)
    counts[rank] = 0
    received = tuple((int(r), slice(int(ends[r]), int(ends[r + 1]))) for r in np.flatnonzero(counts))
    return Plan(numbers.size, slice(int(ends[rank]), int(ends[rank + 1])), received)


def plans(partition: Partition, numbers: Sequence[np.ndarray]) -> list[Plan]:
    """Return the plans of all ranks, made in one process.

    Parameters
    ----------
    partition : Partition
        Who owns which unknowns.
    numbers : sequence of ndarray
        What each rank reads, sorted, all its own among them.

    Returns
    -------
    list of Plan
    """
    received = [wanted(read, partition, rank) for rank, read in enumerate(numbers)]
    made = []
    for rank, plan in enumerate(received):
        first = partition.own(rank).start
        sent = tuple(
            (other, numbers[other][place] - first)
            for other, theirs in enumerate(received)
            for owner, place in theirs.received
            if owner == rank
        )
        made.append(Plan(plan.size, plan.own, plan.received, sent))
    return made


def agreed(comm: Any, plan: Plan, numbers: np.ndarray, first: int) -> Plan:
    """Tell the owners which of their unknowns are read here, and return the plan with what they ask of this rank.

    Collective. `first` is the first number that the rank owns.
    """
    asking, asked = np.zeros(comm.size, np.int64), np.zeros(comm.size, np.int64)
    for rank, place in plan.received:
        asking[rank] = place.stop - place.start
    comm.Alltoall(asking, asked)
    lists = {int(rank): np.empty(asked[rank], np.int64) for rank in np.flatnonzero(asked)}
    requests = [comm.Irecv(room, source=rank, tag=TAG) for rank, room in lists.items()]
    outgoing = [numbers[place].astype(np.int64) for _, place in plan.received]
    requests += [
        comm.Isend(given, dest=rank, tag=TAG) for (rank, _), given in zip(plan.received, outgoing, strict=True)
    ]
    for request in requests:
        request.Wait()
    return Plan(plan.size, plan.own, plan.received, tuple((rank, room - first) for rank, room in lists.items()))


class Exchange:
    """The messages of a plan, over a communicator of mpi4py; all methods are collective.

    Attributes
    ----------
    plan : Plan
        Which values.
    bytes_received, messages_received : int
        What has come in so far.
    """

    def __init__(self, comm: Any, plan: Plan) -> None:
        self.comm, self.plan = comm, plan
        self.bytes_received = self.messages_received = 0

    def gathered(self, own: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return, for vectors of which this rank has its own part, all values that it reads."""
        plan, count = self.plan, len(own)
        if not count:
            return []
        incoming = [np.empty((count, place.stop - place.start)) for _, place in plan.received]
        outgoing = [np.stack([vector[places] for vector in own]) for _, places in plan.sent]
        self._send(plan.received, incoming, plan.sent, outgoing)
        found = [np.empty(plan.size) for _ in own]
        for k, vector in enumerate(found):
            vector[plan.own] = own[k]
            for (_, place), values in zip(plan.received, incoming, strict=True):
                vector[place] = values[k]
        return found

    def added(self, values: np.ndarray) -> np.ndarray:
        """Return the own part of a sum over ranks, of which each has a share in what it reads, (size,).

        Shares are added in the order of the ranks: the sum does not depend on which message comes first.
        """
        plan = self.plan
        incoming = [np.empty((1, places.size)) for _, places in plan.sent]
        outgoing = [np.ascontiguousarray(values[None, place]) for _, place in plan.received]
        self._send(plan.sent, incoming, plan.received, outgoing)
        total = values[plan.own].copy()
        for (_, places), share in zip(plan.sent, incoming, strict=True):
            total[places] += share[0]
        return total

    def _send(self, sources: Any, incoming: list[np.ndarray], targets: Any, outgoing: list[np.ndarray]) -> None:
        requests = [
            self.comm.Irecv(room, source=rank, tag=TAG) for (rank, _), room in zip(sources, incoming, strict=True)
        ]
        requests += [
            self.comm.Isend(given, dest=rank, tag=TAG) for (rank, _), given in zip(targets, outgoing, strict=True)
        ]
        for request in requests:
            request.Wait()
        self.bytes_received += sum(room.nbytes for room in incoming)
        self.messages_received += len(incoming)
