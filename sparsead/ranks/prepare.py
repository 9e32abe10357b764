"""Jacobians and Hessians over the ranks of a communicator: functions of all unknowns, and functions of a block.

A function of all unknowns is traced on one rank, which cuts the part of every rank out and sends it. The others hold
their part only. What was sent is compared, on every rank, with the values of the function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.checking.report import CheckFailed
from sparsead.derivatives.transform import grad
from sparsead.errors import InputError
from sparsead.extras import optional
from sparsead.program.sending import unpacked
from sparsead.ranks.agreement import agreed_partition, require_same
from sparsead.ranks.distributed import DistributedJacobian
from sparsead.ranks.exchange import Exchange, agreed, wanted
from sparsead.ranks.handed import compared, handed_out, points_handed_out
from sparsead.ranks.partition import Partition
from sparsead.ranks.rows import OwnRows, PartFunction, own_places, own_rows, whole
from sparsead.ranks.together import together
from sparsead.tracing.arguments import signature_of


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
    comm = _communicator(comm)
    require_same(comm, x0, args, spread)
    size = int(np.size(x0))
    columns = agreed_partition(comm, columns or Partition.even(size, comm.size), size, "the unknowns")
    traced = together(comm, lambda: whole(f, x0, *args, spread=spread) if comm.rank == root else None)
    m = comm.bcast(traced.rows if traced else None, root=root)
    rows = rows or (columns if m == size else Partition.even(m, comm.size))
    rows = agreed_partition(comm, rows, m, "the rows")
    share = handed_out(comm, root, traced, columns, rows, _examples(x0, args, spread))
    del traced
    wanted_there = comm.bcast(options.get("check", True), root=root)
    points = points_handed_out(comm, root, f, x0, args, share.numbers, rows) if wanted_there else []

    def prepare() -> OwnRows:
        part = PartFunction(unpacked(share.program), signature_of(f, (x0, *args), 0).arguments[1:])
        every = [share.given.get(k, arg) for k, arg in enumerate((x0, *args))]
        own = OwnRows(part, rows.own(comm.rank), share.numbers, size, every, **options)
        checked = own.prepared.checked
        checked.comparisons.extend(compared(part, own, points, every))
        if not checked.passed:
            raise CheckFailed(checked)
        return own

    return _over_ranks(comm, together(comm, prepare), columns, rows, spread, at_zero)


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
    comm = _communicator(comm)
    columns = Partition.of_sizes(comm.allgather(int(owned)))
    of_rows = Partition.of_sizes(comm.allgather(int(owned if rows is None else rows)))

    def prepare() -> OwnRows:
        places = {"partition": columns, "rank": comm.rank, "rows": of_rows}
        return own_rows(f, x0, *args, reads=reads, spread=spread, **places, **options)

    return _over_ranks(comm, together(comm, prepare), columns, of_rows, spread, at_zero)


def hessian(f: Callable[..., Any], x0: Any, *args: Any, **options: Any) -> DistributedJacobian:
    """Prepare the rows of the Hessian of a scalar function of all unknowns: the Jacobian of its gradient. Collective.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``, one number; the same on every rank.
    x0, *args, **options
        As in `jacobian`.

    Returns
    -------
    DistributedJacobian
        Its ``value`` is the own part of the gradient.
    """
    return jacobian(grad(f), x0, *args, **options)


def local_hessian(
    f: Callable[..., Any], x0: Any, *args: Any, reads: Any, owned: int, comm: Any = None, **options: Any
) -> DistributedJacobian:
    """Prepare the own rows of the Hessian of a sum over ranks. Collective.

    Parameters
    ----------
    f : callable
        ``f(block, *args)``, one number: the sum of all terms in which unknowns of this rank appear. Terms in which
        unknowns of several ranks appear are in the sums of all of these; terms without any of its own may be there,
        too, and do not matter.
    x0, *args, reads, owned, comm, **options
        As in `local_jacobian`.

    Returns
    -------
    DistributedJacobian
        Its ``value`` is the own part of the gradient.
    """
    comm = _communicator(comm)
    columns = Partition.of_sizes(comm.allgather(int(owned)))
    own, reads = together(comm, lambda: _places_once(reads, columns, comm.rank))

    def slope(block: Any, *args: Any) -> Any:
        return grad(f)(block, *args).reshape(-1)[own]

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
def _communicator(comm: Any) -> Any:
    return optional("mpi4py.MPI").COMM_WORLD if comm is None else comm


def _over_ranks(
    comm: Any, own: OwnRows, columns: Partition, rows: Partition, spread: Sequence[int], at_zero: bool
) -> DistributedJacobian:
    """Let the ranks agree on who sends what."""
    plan = together(comm, lambda: wanted(own.numbers, columns, comm.rank))
    plan = agreed(comm, plan, own.numbers, columns.own(comm.rank).start)
    return DistributedJacobian(comm, own, columns, rows, Exchange(comm, plan), spread, at_zero)


def _examples(x0: Any, args: tuple[Any, ...], spread: Sequence[int]) -> dict[int, np.ndarray]:
    """Return x0 and what is spread like it, flat, without a copy where they can be had so."""
    return {k: np.asarray(value).reshape(-1) for k, value in enumerate((x0, *args)) if k in (0, *spread)}
