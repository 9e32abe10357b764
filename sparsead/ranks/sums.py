"""Sums whose terms are spread over ranks, and their gradients: objectives of a minimization.

Each term is counted on one rank, which differentiates it by what it reads, ghosts too; shares of the gradient go to
the owners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.derivatives.gradient import gradient as scalar_gradient
from sparsead.derivatives.patterns import jacobian_pattern
from sparsead.errors import InputError
from sparsead.ranks.agreement import partitions_of
from sparsead.ranks.collective import communicator, together
from sparsead.ranks.distributed import DistributedGradient
from sparsead.ranks.partition import Partition
from sparsead.ranks.prepare import exchange_of, summed
from sparsead.ranks.rows import gathered, on_block, own_places, placed, require_spread
from sparsead.ranks.shares import Shares, received, require_alike

AGREE = 1e-8  # relative to the largest, of a gradient found in two ways


def gradient(
    f: Callable[..., Any], x0: Any, *args: Any, comm: Any = None, columns: Partition | None = None,
    spread: Sequence[int] = (), root: int = 0, **options: Any,
) -> DistributedGradient:  # fmt: skip
    """Prepare a sum of terms of all unknowns, and its gradient; each rank counts some of the terms. Collective.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: the terms, an array of any shape, the same on every rank. It is their sum that is prepared.
    x0, *args, comm, columns, spread, root
        As in `sparsead.ranks.jacobian`.
    **options
        ``threads``, ``backend``, ``check``: as in `sparsead.gradient`.

    Returns
    -------
    DistributedGradient

    Raises
    ------
    RankError
        On all ranks, if anything fails on one.
    """
    comm = communicator(comm)
    got = received(
        comm, _terms(f), (x0, *args), Shares(columns, None, spread, root, "gradient"), options.get("check", True)
    )

    def prepare() -> Any:
        made = scalar_gradient(summed(got.part), *got.examples, **options)
        require_alike(made, got)
        return made

    made = together(comm, prepare)
    return DistributedGradient(
        comm, made, got.columns, got.numbers, exchange_of(comm, got.numbers, got.columns), spread
    )


def local_gradient(
    f: Callable[..., Any], x0: Any, *args: Any, reads: Any, owned: int, comm: Any = None, spread: Sequence[int] = (),
    check: bool = True, **options: Any,
) -> DistributedGradient:  # fmt: skip
    """Prepare a sum over ranks from the terms of a block, and its gradient. Collective.

    A term that stands in the blocks of several ranks is counted once: by the rank that owns the first unknown, by
    number, that it reads. A term that reads none is not counted.

    Parameters
    ----------
    f : callable
        ``f(block, *args)``: all terms in which unknowns of this rank appear, an array; see `local_hessian`.
    x0, *args, reads, owned, comm, spread
        As in `sparsead.ranks.local_jacobian`.
    check : bool
        Compare the gradient with that of all terms of the block, which needs no other rank's.
    **options
        ``threads``, ``backend``: as in `sparsead.gradient`.

    Returns
    -------
    DistributedGradient

    Raises
    ------
    RankError
        On all ranks, if anything fails on one; also if a term misses in some block where it belongs.
    """
    comm = communicator(comm)
    (columns,) = partitions_of(comm, "local_gradient", owned)
    check = comm.bcast(check)
    own, terms = columns.own(comm.rank), _terms(f)

    def prepare() -> tuple[Any, Any, np.ndarray, Any]:
        require_spread(spread, 1 + len(args))
        own_places(reads, own, columns.size)
        numbers, place = placed(reads, own, columns.size)
        flat = on_block(terms, place, numbers.size, spread)
        given = [gathered(a, place, numbers.size) if k in (0, *spread) else a for k, a in enumerate((x0, *args))]
        counted = _counted(flat, given, numbers, own)
        made = scalar_gradient(_sum_of(flat, counted), *given, check=check, **options)
        every = scalar_gradient(_sum_of(flat, slice(None)), *given, check=False, **options) if check else None
        return made, every, numbers, given

    made, every, numbers, given = together(comm, prepare)
    found = DistributedGradient(comm, made, columns, numbers, exchange_of(comm, numbers, columns), spread)
    if check:
        _require_counted_once(found, every, given)
    return found


def _terms(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the terms in one row; refuse one number, which cannot be spread."""

    def terms(x: Any, *args: Any) -> Any:
        found = f(x, *args)
        if np.ndim(found) == 0:
            raise InputError(
                f"{terms.__name__} returned one number; over ranks a sum is counted term by term: return the terms as "
                "an array, without np.sum (several kinds: np.concatenate of them)"
            )
        return np.ravel(found)

    terms.__name__ = getattr(f, "__name__", "f")
    return terms


def _counted(flat: Callable[..., Any], given: list[Any], numbers: np.ndarray, own: range) -> np.ndarray:
    """Return which terms are counted here: those whose first unknown is owned here."""
    pattern = jacobian_pattern(flat, *given)
    reading = np.flatnonzero(np.diff(pattern.indptr))
    if not reading.size:
        return reading
    first = numbers[np.minimum.reduceat(pattern.indices, pattern.indptr[reading])]
    return reading[(first >= own.start) & (first < own.stop)]


def _sum_of(flat: Callable[..., Any], counted: Any) -> Callable[..., Any]:
    def total(values: Any, *args: Any) -> Any:
        return np.sum(flat(values, *args)[counted])

    total.__name__ = flat.__name__
    return total


def _require_counted_once(found: DistributedGradient, every: Any, given: list[Any]) -> None:
    """Compare the gradient that was added up over ranks with the one that the terms of this block have alone."""
    here = found.exchange.plan.own
    x, *args = given
    moved = x[here] + 0.1 * (0.5 + np.mod(0.618 * found.numbers[here], 1.0)) * np.maximum(np.abs(x[here]), 0.1)
    spread = [arg[here] if k in found.spread else arg for k, arg in enumerate(args, start=1)]
    added = found(moved, *spread)
    alone = found._evaluated("the check", (moved, *spread), lambda values: every(*values))[here]

    def compare() -> None:
        apart, size = np.abs(added - alone), np.max(np.abs(alone), initial=0.0)
        if np.isfinite(apart).all() and (apart > AGREE * size).any():
            worst = int(np.argmax(apart))
            raise InputError(
                f"the derivative by unknown {found.numbers[here][worst]} is {alone[worst]:.12g} by the terms of this "
                f"block, {added[worst]:.12g} by those that all ranks count: a term in which unknowns of several ranks "
                "appear has to be in the blocks of all of these, alike"
            )

    together(found.comm, compare)
