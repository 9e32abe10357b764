"""A function of all unknowns, traced on one rank, in shares: what each rank needs of it, and values to compare with."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.checking.report import Comparison
from sparsead.errors import InputError
from sparsead.program.sending import packed
from sparsead.ranks.exchange import TAG
from sparsead.ranks.partition import Partition
from sparsead.ranks.rows import OwnRows, PartFunction, Whole, parts
from sparsead.ranks.together import together

AGREE = 1e-9  # relative, of values that were computed in two ways
SPREAD = 100.0  # times what rounding does
MOVE = 0.1  # from the example to the second point, relative to it

Points = list[tuple[np.ndarray, np.ndarray]]  # and the values of the function there
Arrays = dict[int, np.ndarray]  # by the places of the arguments


@dataclass(frozen=True)
class Share:
    """What one rank is sent: its part of the program, the unknowns that it reads, and examples of these."""

    program: bytes
    numbers: np.ndarray
    given: Arrays


def points_of(f: Callable[..., Any], x0: Any, args: tuple[Any, ...]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield points and values of the function there, flat: at the example, and at a generic point nearby.

    One after the other: only one is held at a time.
    """
    for place in (np.asarray, _near):
        try:
            with np.errstate(all="ignore"):
                x = np.array(place(x0), np.float64)
                value = np.asarray(getattr(f, "py_func", f)(x.copy(), *args), np.float64)
        except Exception:  # outside of its domain, perhaps: there is nothing to compare
            continue
        yield x.reshape(-1), value.reshape(-1)


def _near(x0: Any) -> np.ndarray:
    x = np.array(x0, np.float64)
    size = np.where(x == 0.0, min(float(np.max(np.abs(x), initial=0.0)), 1.0) or 1.0, np.abs(x))
    x += MOVE * np.where(x < 0.0, -1.0, 1.0) * size * np.random.default_rng(1).uniform(0.5, 1.0, x.shape)
    return x


def handed_out(
    comm: Any, root: int, traced: Whole | None, columns: Partition, rows: Partition, given: Arrays
) -> Share:
    """Send every rank its part of a traced function, with examples; return that of this rank."""
    if traced is None:
        mine, failed = comm.recv(source=root, tag=TAG), None
    else:
        mine, failed = _send_parts(comm, _shares(traced, columns, rows, given))

    def received() -> Share:
        if failed is not None:
            raise failed
        return mine

    return together(comm, received)


def _shares(traced: Whole, columns: Partition, rows: Partition, given: Arrays) -> Iterator[Share]:
    for program, numbers in parts(traced, columns, rows):
        yield Share(packed(program), numbers, {k: value[numbers] for k, value in given.items()})


def _send_parts(comm: Any, shares: Iterator[Share]) -> tuple[Any, Exception | None]:
    """Send the parts one by one; where one cannot be made, the others hear of it in place of theirs."""
    mine: Any = None
    failed: Exception | None = None
    for rank in range(comm.size):
        message: Any = None
        if failed is None:
            try:
                message = next(shares)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                failed = InputError(f"the traced function cannot be sent to other ranks: {error}")
            except Exception as error:  # the others wait
                failed = error
        if rank == comm.rank:
            mine = message
        else:
            comm.send(message, dest=rank, tag=TAG)
    return mine, failed


def points_handed_out(
    comm: Any, root: int, f: Callable[..., Any], x0: Any, args: tuple[Any, ...], numbers: np.ndarray, rows: Partition
) -> Points:
    """Evaluate the function on the rank that traced it; return the values of this rank's rows, and what they read.

    Collective. The trace is gone by then, and one point is held at a time: the rank takes no more than an evaluation.
    """
    if comm.rank != root:
        comm.send(numbers, dest=root, tag=TAG)
        return list(iter(lambda: comm.recv(source=root, tag=TAG), None))
    read = [numbers if rank == root else comm.recv(source=rank, tag=TAG) for rank in range(comm.size)]
    mine: Points = []
    for x, y in points_of(f, x0, args):
        for rank in range(comm.size):
            own = rows.own(rank)
            here = x[read[rank]], y[own.start : own.stop].copy()
            if rank == root:
                mine.append(here)
            else:
                comm.send(here, dest=rank, tag=TAG)
        del x, y
    for rank in range(comm.size):
        if rank != root:
            comm.send(None, dest=rank, tag=TAG)
    return mine


def compared(part: PartFunction, own: OwnRows, points: Points, args: list[Any]) -> Iterator[Comparison]:
    """Compare the compiled part with values of the whole function, on this rank's rows."""
    program = part.program
    for (x, theirs), name in zip(points, ("x0", "a point near x0"), strict=False):
        ours = own.prepared.value(x, *args[1:]).reshape(-1)
        with np.errstate(all="ignore"):
            error = np.where(np.isfinite(theirs), np.abs(ours - theirs), 0.0)
            allowed = AGREE * np.abs(theirs)
            if (error > allowed).any():
                allowed = allowed + SPREAD * _rounding(part, own, x, args)
        error = np.where(np.isnan(error), np.inf, error)
        worst = int(np.argmax(error - np.where(np.isfinite(allowed), allowed, 0.0))) if error.size else 0
        words = f"in row {own.rows.start + worst} of {program.name}" if error.size else ""
        pair = (float(error[worst]), float(allowed[worst])) if error.size else (0.0, 0.0)
        yield Comparison(f"the own rows and the whole function at {name}", *pair, words)


def _rounding(part: PartFunction, own: OwnRows, x: np.ndarray, args: list[Any]) -> np.ndarray:
    """Return what rounding does to the own rows at a point."""
    arrays = own.prepared.signature.convert((x, *args[1:]))
    given = {node.serial: array for node, array in zip(part.program.inputs, arrays, strict=True)}
    plain, rng = part.value(given), np.random.default_rng(2)
    return np.max([np.abs(part.value(given, rng) - plain) for _ in range(3)], axis=0)
