"""A Jacobian over ranks: values of the unknowns that a rank owns go in, values of the rows that it owns come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import scipy.sparse

from sparsead.derivatives.vectors import checked_vector
from sparsead.errors import InputError
from sparsead.ranks.collective import prepared_over, together
from sparsead.ranks.exchange import Exchange
from sparsead.ranks.partition import Partition
from sparsead.ranks.rows import OwnRows

Found = TypeVar("Found")


class Distributed:
    """Something prepared over the ranks of a communicator: each has what reads its own unknowns and ghosts.

    Attributes
    ----------
    comm
        The communicator.
    columns : Partition
        Who owns which unknowns.
    numbers : ndarray
        The unknowns that this rank reads, sorted.
    exchange : Exchange
        The messages; it counts their bytes.
    at_zero : bool
        True where x is always zero, given as None: it is not sent.
    """

    def __init__(
        self, comm: Any, columns: Partition, numbers: np.ndarray, exchange: Exchange,
        spread: Sequence[int] = (), at_zero: bool = False,
    ) -> None:  # fmt: skip
        self.comm, self.columns, self.numbers, self.exchange = comm, columns, numbers, exchange
        self.spread = tuple(spread)
        self.number = prepared_over(comm)
        self.at_zero = at_zero

    @property
    def ghosts(self) -> np.ndarray:
        """The numbers of the unknowns of others that this rank reads."""
        return np.delete(self.numbers, self.exchange.plan.own)

    def _evaluated(
        self, method: str, args: tuple[Any, ...], work: Callable[[list[Any]], Found], *more: tuple[str, Any]
    ) -> Found:
        """Fetch the ghosts of x, and of what is spread like it, and do something with all values that are read."""
        asked = [] if self.at_zero else [("x", args[0])]
        asked += [(f"argument {k}", args[k] if k < len(args) else None) for k in self.spread]
        own = self.columns.own(self.comm.rank)
        entry = f"{method} of preparation {self.number}"
        given = together(self.comm, lambda: [_vector(name, values, own) for name, values in (*asked, *more)], entry)
        found = self.exchange.gathered(given)

        def finish() -> Found:
            values = [np.zeros(self.exchange.plan.size), *found] if self.at_zero else found
            given = list(args)
            for k, vector in zip((0, *self.spread), values, strict=False):
                given[k] = vector
            return work([*given, *values[1 + len(self.spread) :]])

        return together(self.comm, finish)


class DistributedJacobian(Distributed):
    """The rows of a Jacobian that a rank owns. Made by `sparsead.ranks.jacobian` and `local_jacobian`.

    All methods are collective: every rank calls them, with its own values. What fails on one rank raises RankError
    on all.

    Attributes
    ----------
    comm
        The communicator.
    own : OwnRows
        What was prepared on this rank.
    columns, rows : Partition
        Who owns which unknowns, and which rows.
    exchange : Exchange
        The messages; it counts their bytes.
    at_zero : bool
        True where x is always zero, given as None: it is not sent.
    """

    def __init__(
        self, comm: Any, own: OwnRows, columns: Partition, rows: Partition, exchange: Exchange,
        spread: Sequence[int] = (), at_zero: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(comm, columns, own.numbers, exchange, spread, at_zero)
        self.own, self.rows = own, rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole matrix."""
        return self.rows.size, self.columns.size

    def value(self, x: Any, *args: Any) -> np.ndarray:
        """Return the own rows of the value, (own rows,)."""
        return self._evaluated("value", (x, *args), lambda given: self.own.prepared.value(*given).reshape(-1))

    def values(self, x: Any, *args: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return the values of the own rows, in the order of ``own.indices``; into `out` if it is given."""
        return self._evaluated(
            "values", (x, *args), lambda given: self.own.prepared.values(*given, out=out, order="csr")
        )

    def __call__(self, x: Any, *args: Any) -> scipy.sparse.csr_array:
        """Return the own rows of the Jacobian, (own rows, all unknowns); the structure is the same at every call."""
        return self.own.matrix(self.values(x, *args))

    def jvp(self, x: Any, v: Any, *args: Any) -> np.ndarray:
        """Return the own rows of ``J @ v``; of v, too, every rank has the part of its unknowns."""

        def product(given: list[Any]) -> np.ndarray:
            return self.own.prepared.jvp(given[0], given[-1], *given[1:-1])

        return self._evaluated("jvp", (x, *args), product, ("v", v))

    def vjp(self, x: Any, w: Any, *args: Any) -> np.ndarray:
        """Return the part of ``J.T @ w`` of the own unknowns; w has a weight for each own row.

        Shares of other ranks are added in the order of the ranks.
        """

        def product(given: list[Any]) -> np.ndarray:
            weights = checked_vector("vjp", w, len(self.own.rows))
            return self.own.prepared.vjp(given[0], weights, *given[1:])

        return self.exchange.added(self._evaluated("vjp", (x, *args), product))


class DistributedGradient(Distributed):
    """A sum of terms that are spread over ranks, and its gradient. Made by `sparsead.ranks.gradient`.

    All methods are collective, as those of `DistributedJacobian`.

    Attributes
    ----------
    comm
        The communicator.
    prepared : sparsead.Gradient
        The sum of the terms that are counted on this rank, over the unknowns that they read.
    columns : Partition
        Who owns which unknowns.
    exchange : Exchange
        The messages; it counts their bytes.
    """

    def __init__(
        self, comm: Any, prepared: Any, columns: Partition, numbers: np.ndarray, exchange: Exchange,
        spread: Sequence[int] = (),
    ) -> None:  # fmt: skip
        super().__init__(comm, columns, numbers, exchange, spread)
        self.prepared = prepared

    def value(self, x: Any, *args: Any) -> float:
        """Return the sum of all terms of all ranks, the same on every rank."""
        return self._summed(self._evaluated("value", (x, *args), lambda given: self.prepared.value(*given)))

    def __call__(self, x: Any, *args: Any) -> np.ndarray:
        """Return the own part of the gradient."""
        return self.value_and_gradient(x, *args)[1]

    def value_and_gradient(self, x: Any, *args: Any) -> tuple[float, np.ndarray]:
        """Return the sum of all terms, and the own part of its gradient; shares are added in the order of the ranks."""
        both = "value_and_gradient"
        value, slope = self._evaluated(both, (x, *args), lambda given: self.prepared.value_and_gradient(*given))
        return self._summed(value), self.exchange.added(slope)

    def _summed(self, value: float) -> float:
        """Return a sum over ranks, added in their order, so that all of them have it to the bit."""
        every = np.empty(self.comm.size)
        self.comm.Allgather(np.array([value]), every)
        return float(np.sum(every))


def _vector(name: str, values: Any, own: range) -> np.ndarray:
    vector = np.asarray(values)
    if vector.dtype.kind not in "fiu":
        raise InputError(f"{name} expects real numbers, got {vector.dtype}")
    if vector.size != len(own):
        raise InputError(
            f"{name} has {vector.size} values, but {len(own)} unknowns are owned here ({own.start} to {own.stop})"
        )
    return vector.astype(np.float64, copy=False).reshape(-1)
