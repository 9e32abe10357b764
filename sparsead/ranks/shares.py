"""A function of all unknowns, traced on one rank, in shares: what each rank needs of it, and values to compare with."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.checking.report import CheckFailed, Comparison
from sparsead.derivatives.gradient import Gradient
from sparsead.errors import InputError
from sparsead.program.sending import packed, unpacked
from sparsead.ranks.agreement import agreed_partition, described
from sparsead.ranks.collective import agree, together
from sparsead.ranks.exchange import TAG
from sparsead.ranks.partition import Partition
from sparsead.ranks.rows import PartFunction, Whole, parts, whole
from sparsead.tracing.arguments import signature_of

AGREE = 1e-9  # relative, of values that were computed in two ways
SPREAD = 100.0  # times what rounding does
AT_ONCE = 1 << 16  # elements of a point that are made at a time
MOVE = 0.1  # from the example to the second point, relative to it

Points = list[tuple[np.ndarray, np.ndarray]]  # and the values of the function there
Arrays = dict[int, np.ndarray]  # by the places of the arguments


@dataclass(frozen=True)
class Share:
    """What one rank is sent: its part of the program, the unknowns that it reads, and examples of these."""

    program: bytes
    numbers: np.ndarray
    given: Arrays


@dataclass(frozen=True)
class Received:
    """What one rank has of a function of all unknowns: its part, what that reads, and examples of the arguments."""

    part: PartFunction
    columns: Partition
    own_rows: range
    rows: Partition
    numbers: np.ndarray
    points: Points
    examples: list[Any]


@dataclass(frozen=True)
class Shares:
    """Who owns what, as the user says or leaves open; what is spread like x; which rank traces; what was called."""

    columns: Partition | None
    rows: Partition | None
    spread: Sequence[int]
    root: int
    entry: str


def received(comm: Any, f: Callable[..., Any], args: tuple[Any, ...], shares: Shares, check: bool) -> Received:
    """Trace a function of all unknowns on one rank, and return this rank's part. Collective."""
    x0, spread, root = args[0], shares.spread, shares.root
    agree(comm, lambda: described(comm, args, spread, root), shares.entry)
    size = int(np.size(x0))
    even = Partition.even(size, comm.size)
    columns = agreed_partition(comm, even if shares.columns is None else shares.columns, size, "the unknowns")
    traced = together(comm, lambda: whole(f, *args, spread=spread) if comm.rank == root else None)
    m = comm.bcast(traced.rows if traced else None, root=root)
    even = columns if m == size else Partition.even(m, comm.size)
    rows = agreed_partition(comm, even if shares.rows is None else shares.rows, m, "the rows")
    share = handed_out(comm, root, traced, columns, rows, _examples(args, spread))
    del traced
    points: Points = []
    if comm.bcast(check, root=root):
        points = points_handed_out(comm, root, f, args, share.numbers, rows)

    def unpack() -> Received:
        part = PartFunction(unpacked(share.program), signature_of(f, args, 0).arguments[1:])
        examples = [share.given.get(k, arg) for k, arg in enumerate(args)]
        return Received(part, columns, rows.own(comm.rank), rows, share.numbers, points, examples)

    return together(comm, unpack)


def _examples(args: tuple[Any, ...], spread: Sequence[int]) -> Arrays:
    """Return x0 and what is spread like it, flat, without a copy where they can be had so."""
    return {k: np.asarray(value).reshape(-1) for k, value in enumerate(args) if k in (0, *spread)}


def points_of(f: Callable[..., Any], args: tuple[Any, ...]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield points and values of the function there, flat: at the example, and at a generic point nearby.

    One after the other: only one is held at a time. A point is made again after the call, which may have written to it.
    """
    for place in (_here, _near):
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(getattr(f, "py_func", f)(place(args[0]), *args[1:]), np.float64)
        except Exception:  # outside of its domain, perhaps: there is nothing to compare
            continue
        yield place(args[0]).reshape(-1), value.reshape(-1)


def _here(x0: Any) -> np.ndarray:
    return np.array(x0, np.float64, order="C")


def _near(x0: Any) -> np.ndarray:
    x = _here(x0)
    zero = min(float(max(np.max(x, initial=0.0), -np.min(x, initial=0.0))), 1.0) or 1.0  # the size of what is zero
    flat, rng = x.reshape(-1), np.random.default_rng(1)
    for start in range(0, flat.size, AT_ONCE):
        part = flat[start : start + AT_ONCE]
        size = np.where(part == 0.0, zero, np.abs(part))
        part += MOVE * np.where(part < 0.0, -1.0, 1.0) * size * rng.uniform(0.5, 1.0, part.size)
    return x


def handed_out(comm: Any, root: int, traced: Whole | None, columns: Partition, rows: Partition, given: Arrays) -> Share:
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
    comm: Any, root: int, f: Callable[..., Any], args: tuple[Any, ...], numbers: np.ndarray, rows: Partition
) -> Points:
    """Evaluate the function on the rank that traced it; return the values of this rank's rows, and what they read.

    Collective. The trace is gone by then, and one point is held at a time: the rank takes no more than an evaluation.
    """
    if comm.rank != root:
        comm.send(numbers, dest=root, tag=TAG)
        return list(iter(lambda: comm.recv(source=root, tag=TAG), None))
    read = [numbers if rank == root else comm.recv(source=rank, tag=TAG) for rank in range(comm.size)]
    mine: Points = []
    for x, y in points_of(f, args):
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


def require_alike(prepared: Any, got: Received) -> None:
    """Raise CheckFailed unless the compiled part has the values of the whole function, on this rank's rows."""
    prepared.checked.comparisons.extend(_compared(prepared, got))
    if not prepared.checked.passed:
        raise CheckFailed(prepared.checked)


def _compared(prepared: Any, got: Received) -> Iterator[Comparison]:
    of_one_number = isinstance(prepared, Gradient)  # of the sum of the rows
    for (x, rows), name in zip(got.points, ("x0", "a point near x0"), strict=False):
        theirs = np.sum(rows, keepdims=True) if of_one_number else rows
        ours = np.reshape(prepared.value(x, *got.examples[1:]), -1)
        with np.errstate(all="ignore"):
            error = np.where(np.isfinite(theirs), np.abs(ours - theirs), 0.0)
            allowed = np.where(np.isfinite(theirs), AGREE * np.abs(theirs), np.inf)  # outside of the domain: nothing
            if (error > allowed).any():
                allowed = allowed + SPREAD * _rounding(prepared, got, x, of_one_number)
        error = np.where(np.isnan(error), np.inf, error)
        worst = int(np.argmax(error - np.where(np.isfinite(allowed), allowed, 0.0))) if error.size else 0
        words = f"in row {got.own_rows.start + worst} of {got.part.program.name}" if error.size else ""
        pair = (float(error[worst]), float(allowed[worst])) if error.size else (0.0, 0.0)
        yield Comparison(f"the own rows and the whole function at {name}", *pair, words)


def _rounding(prepared: Any, got: Received, x: np.ndarray, of_one_number: bool) -> np.ndarray:
    """Return what rounding does to the own rows, or to their sum, at a point."""
    arrays = prepared.signature.convert((x, *got.examples[1:]))
    given = {node.serial: array for node, array in zip(got.part.program.inputs, arrays, strict=True)}
    plain, rng = got.part.value(given), np.random.default_rng(2)
    moved = np.max([np.abs(got.part.value(given, rng) - plain) for _ in range(3)], axis=0)
    return np.sum(moved, keepdims=True) if of_one_number else moved
