"""Jacobians and Hessians over the ranks of a communicator: functions of all unknowns, and functions of a block.

A function of all unknowns is traced on one rank, which cuts the part of every rank out and sends it. The others hold
their part only. What was sent is compared, on every rank, with the values of the function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.derivatives.transform import grad
from sparsead.errors import InputError
from sparsead.ranks.agreement import partitions_of
from sparsead.ranks.collective import communicator, together
from sparsead.ranks.distributed import DistributedJacobian
from sparsead.ranks.exchange import Exchange, agreed, wanted
from sparsead.ranks.partition import Partition
from sparsead.ranks.rows import OwnRows, own_places, own_rows
from sparsead.ranks.shares import Shares, received, require_alike


def jacobian(
    f: Callable[..., Any], x0: Any, *args: Any, comm: Any = None, columns: Partition | None = None,
    rows: Partition | None = None, spread: Sequence[int] = (), root: int = 0, at_zero: bool = False, **options: Any,
) -> DistributedJacobian:  # fmt: skip
    """Prepare the Jacobian of a function of all unknowns, each rank the rows that it owns. Collective.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``, the same on every rank: NumPy code that returns one array.
    x0 : array_like
        An example of x. Its values are read on `root` only: elsewhere ``np.broadcast_to(0.0, shape)`` will do.
    *args
        Examples of the other arguments, the same on every rank.
    comm : mpi4py.MPI.Comm, optional
        The communicator; by default all ranks.
    columns, rows : Partition, optional
        Who owns which unknowns, and which rows of the value; by default `Partition.even`, and the same for the rows of
        a square system.
    spread : sequence of int
        Other arguments that have a value for each unknown, by their places, from 1 on: when the Jacobian is evaluated,
        each rank gives those of its own unknowns.
    root : int
        The rank that traces, which takes memory of the size of the whole problem there.
    at_zero : bool
        True where x will always be zero (and given as None): it is not sent.
    **options
        ``mode``, ``order``, ``threads``, ``backend``, ``check``: as in `sparsead.jacobian`.

    Returns
    -------
    DistributedJacobian

    Raises
    ------
    RankError
        On all ranks, if anything fails on one.
    """
    comm = communicator(comm)
    shares = Shares(columns, rows, spread, root, "jacobian")
    got = received(comm, f, (x0, *args), shares, options.get("check", True))

    def prepare() -> OwnRows:
        own = OwnRows(got.part, got.own_rows, got.numbers, got.columns.size, got.examples, **options)
        require_alike(own.prepared, got)
        return own

    own = together(comm, prepare)
    exchange = exchange_of(comm, own.numbers, got.columns)
    return DistributedJacobian(comm, own, got.columns, got.rows, exchange, spread, at_zero)


def local_jacobian(
    f: Callable[..., Any], x0: Any, *args: Any, reads: Any, owned: int, rows: int | None = None, comm: Any = None,
    spread: Sequence[int] = (), at_zero: bool = False, **options: Any,
) -> DistributedJacobian:  # fmt: skip
    """Prepare the Jacobian of a function that is written for the block of a rank and the ghosts around. Collective.

    Parameters
    ----------
    f : callable
        ``f(block, *args)``: the values of the rank's own rows, in their order. It may differ from rank to rank.
    x0 : array_like
        An example of the block, of the shape of `reads`.
    *args
        Examples of the other arguments.
    reads : array_like of int
        The number of the unknown at each place of the block; -1 where there is none and the block holds zero. PETSc's
        local-to-global maps are such numbers.
    owned : int
        How many unknowns the rank owns. Those of rank 0 come first, then those of rank 1, ...
    rows : int, optional
        How many rows it owns; by default as many.
    comm, spread, at_zero, **options
        As in `jacobian`; what is `spread` is given as a block here, like x0.

    Returns
    -------
    DistributedJacobian

    Raises
    ------
    RankError
        On all ranks, if anything fails on one.
    """
    comm = communicator(comm)
    columns, of_rows = partitions_of(comm, "local_jacobian", owned, owned if rows is None else rows)

    def prepare() -> OwnRows:
        places = {"partition": columns, "rank": comm.rank, "rows": of_rows}
        return own_rows(f, x0, *args, reads=reads, spread=spread, **places, **options)

    own_part = together(comm, prepare)
    exchange = exchange_of(comm, own_part.numbers, columns)
    return DistributedJacobian(comm, own_part, columns, of_rows, exchange, spread, at_zero)


def hessian(f: Callable[..., Any], x0: Any, *args: Any, **options: Any) -> DistributedJacobian:
    """Prepare the rows of the Hessian of a scalar function of all unknowns: the Jacobian of its gradient. Collective.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``, one number, or an array of terms whose sum it is; the same on every rank.
    x0, *args, **options
        As in `jacobian`.

    Returns
    -------
    DistributedJacobian
        Its ``value`` is the own part of the gradient.
    """
    return jacobian(grad(summed(f)), x0, *args, **options)


def local_hessian(
    f: Callable[..., Any], x0: Any, *args: Any, reads: Any, owned: int, comm: Any = None, **options: Any
) -> DistributedJacobian:
    """Prepare the own rows of the Hessian of a sum over ranks. Collective.

    Parameters
    ----------
    f : callable
        ``f(block, *args)``, one number: the sum of all terms in which unknowns of this rank appear; or these terms, as
        an array. Terms in which unknowns of several ranks appear are in the sums of all of these; terms without any
        of its own may be there, too, and do not matter.
    x0, *args, reads, owned, comm, **options
        As in `local_jacobian`.

    Returns
    -------
    DistributedJacobian
        Its ``value`` is the own part of the gradient.
    """
    comm = communicator(comm)
    (columns,) = partitions_of(comm, "local_hessian", owned)
    own, reads = together(comm, lambda: _places_once(reads, columns, comm.rank))

    def slope(block: Any, *args: Any) -> Any:
        return grad(summed(f))(block, *args).reshape(-1)[own]

    slope.__name__ = f"gradient of {getattr(f, '__name__', 'f')}"
    return local_jacobian(slope, x0, *args, reads=reads, owned=owned, comm=comm, **options)


def _places_once(reads: Any, columns: Partition, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where a block holds the own unknowns, and the block's numbers, each of which it names once."""
    reads = np.asarray(reads)
    found = own_places(reads, columns.own(rank), columns.size)
    named = reads[reads >= 0]
    if np.unique(named).size != named.size:
        raise InputError("reads names an unknown twice: the derivative of an energy needs each at one place")
    return found, reads


# -- steps of a preparation -----------------------------------------------------------------------------------------
def summed(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the sum of the terms that a function returns, or the one number."""

    def total(x: Any, *args: Any) -> Any:
        return np.sum(f(x, *args))

    total.__name__ = getattr(f, "__name__", "f")
    return total


def exchange_of(comm: Any, numbers: np.ndarray, columns: Partition) -> Exchange:
    """Let the ranks agree on who sends what. Collective."""
    plan = together(comm, lambda: wanted(numbers, columns, comm.rank))
    return Exchange(comm, agreed(comm, plan, numbers, columns.own(comm.rank).start))
