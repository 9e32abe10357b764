"""The rows of one rank: a Jacobian over the values that they read, its columns numbered as everybody numbers them.

There are two ways to such rows, and both end in a function of the values that a rank reads: a function that was
written for a block with ghosts, or the part of a function of all unknowns, cut out of its trace. No MPI here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.derivatives.jacobian import jacobian
from sparsead.errors import InputError
from sparsead.program.evaluate import can_run, evaluate, run
from sparsead.program.index import index_dtype
from sparsead.program.nodes import Program
from sparsead.program.part import part_of, substituted
from sparsead.ranks.partition import Partition
from sparsead.tracing import trees
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.conversions import reading
from sparsead.tracing.trace import trace
from sparsead.tracing.trees import Leaf, Structure

OPTIONS = {"mode", "order", "threads", "backend", "check"}  # of `sparsead.jacobian`, that rows can be prepared with


class OwnRows:
    """Rows of a Jacobian that follow one another, prepared over the values that they read.

    Parameters
    ----------
    f : callable
        ``f(values, *args)``: these rows of the value, of the unknowns ``numbers``.
    rows : range
        Which they are.
    numbers : ndarray of int
        The unknowns that are read, sorted.
    columns : int
        How many unknowns there are.
    args : tuple
        Examples of the arguments of f, the values first.
    **options
        ``mode``, ``order``, ``threads``, ``backend``, ``check``: as in `sparsead.jacobian`.

    Attributes
    ----------
    prepared : sparsead.Jacobian
        The rows, over the values that are read.
    indptr, indices : ndarray
        The structure of the rows; columns are numbers of unknowns.
    """

    def __init__(
        self, f: Callable[..., Any], rows: range, numbers: np.ndarray, columns: int, args: Sequence[Any], **options: Any
    ) -> None:
        if unknown := set(options) - OPTIONS:
            raise InputError(f"rows take the options {', '.join(sorted(OPTIONS))}, not {', '.join(sorted(unknown))}")
        self.rows, self.numbers = rows, numbers
        self.prepared = jacobian(f, *args, **options)
        if self.prepared.shape[0] != len(rows):
            raise InputError(
                f"the function returned {self.prepared.shape[0]} values, but {len(rows)} rows are owned here "
                f"({rows.start} to {rows.stop})"
            )
        pattern = self.prepared.pattern
        self.indptr = pattern.indptr
        self.indices = numbers[pattern.indices].astype(index_dtype(columns), copy=False)
        self.shape = (len(rows), columns)

    def matrix(self, data: np.ndarray) -> scipy.sparse.csr_array:
        """Return the rows with these values, (rows, all unknowns)."""
        return scipy.sparse.csr_array((data, self.indices, self.indptr), shape=self.shape)


def placed(reads: Any, own: range, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the unknowns that a block reads, with its own, sorted; and where its elements stand among them.

    Parameters
    ----------
    reads : array_like of int
        The number of the unknown at each place of the block; -1 where there is none.
    own : range
        What the rank owns.
    size : int
        How many unknowns there are.
    """
    reads = np.asarray(reads)
    if reads.dtype.kind not in "iu":
        raise InputError(f"reads has the numbers of unknowns, integers; got {reads.dtype}")
    if reads.size and not (reads.min() >= -1 and reads.max() < size):
        worst = int(reads.min()) if reads.min() < -1 else int(reads.max())
        raise InputError(f"reads names unknown {worst}, but there are {size}, numbered from 0 (-1 for none)")
    numbers = np.union1d(np.arange(own.start, own.stop), reads[reads >= 0]).astype(index_dtype(size))
    place = np.where(reads < 0, numbers.size, np.searchsorted(numbers, reads))
    return numbers, place


def own_places(reads: Any, own: range, size: int) -> np.ndarray:
    """Return where a block, flat, holds the unknowns of its rank; raise InputError where it lacks some."""
    placed(reads, own, size)
    flat = np.asarray(reads).reshape(-1)
    order = np.argsort(flat, kind="stable")
    wanted = np.arange(own.start, own.stop)
    found = order[np.minimum(np.searchsorted(flat[order], wanted), flat.size - 1)] if flat.size else order
    there = np.isin(wanted, flat)
    if not there.all():
        raise InputError(f"{len(own)} unknowns are owned here, {np.count_nonzero(~there)} of them are not in the block")
    return found


def require_spread(spread: Sequence[int], count: int) -> None:
    """Raise InputError unless `spread` has places of arguments, of which there are `count`, x among them, once each."""
    places = [operator.index(k) for k in spread]
    if len(set(places)) < len(places) or not all(0 < k < count for k in places):
        raise InputError(f"spread has places of arguments after x, from 1 to {count - 1}, once each; got {spread}")


def on_block(f: Callable[..., Any], place: np.ndarray, read: int, spread: Sequence[int] = ()) -> Callable[..., Any]:
    """Return a function written for a block as one of the `read` values that the block reads.

    Where there is no unknown, the block holds zero.
    """
    outside = bool((place == read).any())

    def block(values: Any) -> Any:
        return (np.concatenate([values, np.zeros(1)]) if outside else values)[place]

    def of_values(values: Any, *args: Any) -> Any:
        given = [block(arg) if k in spread else arg for k, arg in enumerate(args, start=1)]
        return f(block(values), *given)

    of_values.__name__ = getattr(f, "__name__", "f")
    return of_values


def own_rows(
    f: Callable[..., Any], x0: Any, *args: Any, reads: Any, partition: Partition, rank: int, spread: Sequence[int] = (),
    rows: Partition | None = None, **options: Any,
) -> OwnRows:  # fmt: skip
    """Prepare the rows of a rank from a function that was written for its block and the ghosts around it.

    Parameters
    ----------
    f : callable
        ``f(block, *args)``: the values of the rank's rows, in their order.
    x0 : array_like
        An example of the block, of the shape of `reads`.
    *args
        The other arguments.
    reads : array_like of int
        The number of the unknown at each place of the block; -1 where there is none.
    partition : Partition
        Who owns which unknowns.
    rank : int
        Whose rows.
    spread : sequence of int
        Other arguments that are blocks like x: their places, from 1 on.
    rows : Partition, optional
        Who owns which rows; by default, the rows of one's unknowns.
    **options
        See `OwnRows`.

    Returns
    -------
    OwnRows

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import ranks
    >>> half = ranks.Partition.of_sizes([3, 3])
    >>> def heat(u):
    ...     return u[:-2] - 2.0 * u[1:-1] + u[2:]
    >>> own = ranks.own_rows(heat, np.zeros(5), reads=[2, 3, 4, 5, -1], partition=half, rank=1)
    >>> own.matrix(own.prepared.values(np.zeros(4))).toarray()
    array([[ 0.,  0.,  1., -2.,  1.,  0.],
           [ 0.,  0.,  0.,  1., -2.,  1.],
           [ 0.,  0.,  0.,  0.,  1., -2.]])
    """
    require_spread(spread, 1 + len(args))
    numbers, place = placed(reads, partition.own(rank), partition.size)
    given = [
        gathered(value, place, numbers.size) if k in (0, *spread) else value for k, value in enumerate((x0, *args))
    ]
    of_values = on_block(f, place, numbers.size, spread)
    owned = (rows or partition).own(rank)
    return OwnRows(of_values, owned, numbers, partition.size, given, **options)


def gathered(block: Any, place: np.ndarray, read: int) -> np.ndarray:
    """Return the values that a block reads, from an example of the block."""
    block = np.asarray(block)
    if block.dtype.kind not in "fiub":
        raise InputError(f"a block is one array of real numbers, got {block.dtype}")
    if block.shape != place.shape:
        raise InputError(f"the block has shape {block.shape}, but reads has shape {place.shape}")
    values = np.zeros(read + 1)
    values[place] = block
    return values[:read]


# -- functions of all unknowns --------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class PartFunction:
    """A part of a traced function, as a function of the values that it reads, to be traced again."""

    program: Program
    arguments: tuple[Structure, ...]  # how those after x are built

    @property
    def __name__(self) -> str:
        return self.program.name

    def __call__(self, x: Any, *args: Any) -> Any:
        """Return these rows of the value."""
        leaves = [
            held
            for argument, value in zip(self.arguments, args, strict=True)
            for _, part, held in trees.taken_apart(argument, value)
            if isinstance(part, Leaf)
        ]
        given = dict(zip([node.serial for node in self.program.inputs], [x, *leaves], strict=True))
        if any(True for _ in traced_in([x, *leaves])):
            refs = {serial: reading(value) for serial, value in given.items()}
            return TracedArray.of_ref(substituted(self.program, refs)).reshape(-1)
        return self.value(given)

    def value(self, given: dict[int, Any], rounding: np.random.Generator | None = None) -> np.ndarray:
        """Return these rows of the value; `given` has the serial numbers of the inputs."""
        if can_run(self.program):
            return run(self.program, given, rounding).reshape(-1)
        return evaluate(self.program.output, given).reshape(-1)


@dataclass(frozen=True, eq=False)
class Whole:
    """A function of all unknowns, traced: its program, and the inputs that are spread like x."""

    program: Program
    spread: tuple[Any, ...]

    @property
    def rows(self) -> int:
        """The size of its value."""
        return int(self.program.output.index.size)


def whole(f: Callable[..., Any], x0: Any, *args: Any, spread: Sequence[int] = ()) -> Whole:
    """Trace a function of all unknowns.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``, one array.
    x0, *args
        Examples of its arguments; of x0 and of what is spread like it only the shape matters.
    spread : sequence of int
        Other arguments that have a value for each unknown: their places, from 1 on.

    Returns
    -------
    Whole
        To be cut by `parts`.
    """
    program, signature = trace(f, (x0, *args), 0)
    nodes = iter(program.inputs[1:])
    found = []
    for k, argument in enumerate(signature.arguments[1:], start=1):
        own = [next(nodes) for _ in trees.leaves(argument)]
        if k not in spread:
            continue
        size = own[0].size if own and isinstance(argument, Leaf) else 0
        if size != program.wrt.size:
            raise InputError(f"argument {k} is spread like x: it needs {program.wrt.size} elements, got {size}")
        found.append(own[0])
    return Whole(program, tuple(found))


def parts(f: Whole, partition: Partition, rows: Partition) -> Iterator[tuple[Program, np.ndarray]]:
    """Cut the part of each rank out of a traced function.

    Parameters
    ----------
    f : Whole
        The function, traced by `whole`.
    partition, rows : Partition
        Who owns which unknowns, and which rows.

    Returns
    -------
    iterator of (Program, ndarray)
        The program of each rank, and the sorted numbers of the unknowns that it reads.
    """
    for rank in range(partition.ranks):
        part = part_of(f.program, rows.own(rank), partition.own(rank), f.spread)
        yield part.program, part.numbers
