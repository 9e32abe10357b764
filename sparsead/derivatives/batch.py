"""Many points in one call: which arguments have an axis of points, and the sweeps that run over it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from sparsead.derivatives.fast_calls import fast_entry
from sparsead.derivatives.nested import composable
from sparsead.derivatives.structure import FixedStructure
from sparsead.derivatives.validation import check_options
from sparsead.derivatives.vectors import is_room
from sparsead.emit.lanes import COUNT, in_lanes
from sparsead.emit.layout import Layout
from sparsead.emit.sweep import Engine, Sweep
from sparsead.errors import InputError
from sparsead.memory import require
from sparsead.program.index import index_dtype
from sparsead.program.nodes import Program
from sparsead.sweeps.vector import value_sweep
from sparsead.tracing.arguments import Signature
from sparsead.tracing.floats import real_array
from sparsead.tracing.trees import Leaf, built

Shape = tuple[int, ...]

FEWER = "evaluate fewer points at a time"


def has_points(given: Shape, shape: Shape, last: bool) -> bool:
    """Tell whether a shape is that of an argument with an axis of points."""
    return len(given) == len(shape) + 1 and (given[:-1] if last else given[1:]) == shape


def with_points(shape: Shape, last: bool) -> str:
    """Return the shape of an argument with an axis of points, in words: ``(points, 3)``."""
    sizes = [*map(str, shape), "points"] if last else ["points", *map(str, shape)]
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def number_of_points(counts: Mapping[str, int]) -> int:
    """Return how many points all arguments have, by their names; raise InputError if these differ."""
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{title}: {number}" for title, number in counts.items())
        raise InputError(f"the arguments have different numbers of points ({found})")
    return counts["x"]


@dataclass(frozen=True)
class _Fast:
    """What takes calls for as many points as before: it looks at arguments, their number and the results."""

    axis: int
    shape: Shape
    count: np.ndarray  # as the code reads it, called a float64 array
    entry: Callable[..., bool]


class _Reader:
    """Reads runtime values: contiguous, and whether they have an axis of points; flat where all points share them.

    Attributes
    ----------
    counts : dict
        How many points those have that have an axis of them, by their names.
    """

    def __init__(self, last: bool) -> None:
        self.last, self.counts = last, dict[str, int]()

    def __call__(self, value: Any, leaf: Leaf, title: str) -> tuple[np.ndarray, bool]:
        """Return the value as the code reads it, and whether each point has its own."""
        array, axis = real_array(value, title), -1 if self.last else 0
        if has_points(array.shape, leaf.shape, self.last):
            self.counts[title] = array.shape[axis]
            if not array.flags.c_contiguous:
                require(array.nbytes, f"a contiguous copy of {title}, {array.shape},", FEWER)
            return np.ascontiguousarray(array), True
        if array.shape != leaf.shape or title == "x":
            wanted = with_points(leaf.shape, self.last)
            either = wanted if title == "x" else f"{leaf.shape} or {wanted}"
            raise InputError(f"{title} has shape {array.shape}; for a batch it must be {either}, with axis={axis}")
        return array.ravel(), False


class Batch:
    """What one derivative computes at a point, for many points. Compiled when it is first used, for any number of them.

    Parameters
    ----------
    program, signature
        What was traced, and the arguments of a call.
    engine : Engine
        What runs the code.
    output : tuple of (str, shape)
        The array that the sweeps write, and its shape for one point.
    sweeps : callable
        Returns the sweeps of one point, or None if Python takes part in them.
    single : callable
        What computes the output at one point, ``single(x, *args)``: used in that case.
    """

    def __init__(
        self,
        program: Program,
        signature: Signature,
        engine: Engine,
        output: tuple[str, Shape],
        sweeps: Callable[[], list[Sweep] | None],
        single: Callable[..., np.ndarray],
    ) -> None:
        self.program, self.signature, self.engine = program, signature, engine
        self.output, self.shape = output
        self.sweeps, self.single = sweeps, single
        self._compiled: dict[tuple[frozenset[str], bool], tuple[Sweep, int] | None] = {}
        self._last: Any = None
        self._fast: _Fast | None = None

    def __call__(self, args: Sequence[Any], out: np.ndarray | None, axis: int) -> np.ndarray:
        """Return the outputs of all points, in `out` if it is given."""
        fast = self._fast
        if fast is not None and axis is fast.axis:
            room = np.empty(fast.shape) if out is None else out
            if fast.entry(*args, fast.count, room):
                return room
        last = self._is_last(axis)
        arrays, lanes, count = self._arranged(args, last)
        shape = (*self.shape, count) if last else (count, *self.shape)
        out = self._room(out, shape, arrays)
        if not out.size:  # no points, or nothing that depends on them
            return out
        key = frozenset(lanes), last
        if key not in self._compiled:
            self._compiled[key] = self._sweep(*key)
        compiled = self._compiled[key]
        if compiled is None:
            self._one_by_one(args, lanes, out, last)
            return out
        sweep, width = compiled
        if count < width:
            self._run_few(sweep, width, arrays, lanes, out, last)
            return out
        self._run(sweep, arrays, out, count)
        self._expect(sweep, axis, {name: arrays[name].shape for name in lanes}, out.shape, count)
        return out

    def _run(self, sweep: Sweep, arrays: dict[str, np.ndarray], out: np.ndarray, count: int) -> None:
        """Run all points, one block of them at least."""
        flat = {name: array.reshape(-1) for name, array in arrays.items()}
        sweep(**flat, **{self.output: out.reshape(-1), COUNT: np.array([count])})

    def _run_few(
        self, sweep: Sweep, width: int, arrays: dict[str, np.ndarray], lanes: list[str], out: np.ndarray, last: bool
    ) -> None:
        """Run fewer points than a block has: the last one stands for those that it lacks."""
        at = -1 if last else 0
        count = out.shape[at]
        points = np.minimum(np.arange(width), count - 1)
        block = arrays | {name: np.take(arrays[name], points, axis=at) for name in lanes}
        found = np.empty((*self.shape, width) if last else (width, *self.shape))
        self._run(sweep, block, found, width)
        np.moveaxis(out, at, 0)[...] = np.moveaxis(found, at, 0)[:count]

    def _expect(self, sweep: Sweep, axis: int, shapes: dict[str, Shape], shape: Shape, count: int) -> None:
        """Let machine code take the calls to come, if this one had the shapes of the one before."""
        alike = axis, shapes
        if self._last != alike:
            self._last, self._fast = alike, None
        elif self._fast is None:
            entry = fast_entry(self.signature, [sweep], {COUNT: (1,), self.output: shape}, shapes)
            self._fast = _Fast(axis, shape, np.array([count]).view(np.float64), entry)

    def _is_last(self, axis: int) -> bool:
        """Tell whether points lie along the last axis of x, not along the first."""
        if not self.signature.plain:
            raise InputError("a batch needs x as one array, which gets an axis of points")
        axes = len(self.program.wrt.shape)
        if type(axis) is not int:
            check_options(self.signature, axis=axis)
        if axis not in (0, -1, axes):
            raise InputError(f"axis is where the points are: 0 (first) or -1 (last), got {axis!r}")
        return axis != 0 and axes > 0

    def _arranged(self, args: Sequence[Any], last: bool) -> tuple[dict[str, np.ndarray], list[str], int]:
        """Return contiguous arrays by name, the names of those with an axis of points, and the number of points."""
        read = _Reader(last)
        found = dict(zip([node.name for node in self.program.inputs], self.signature.convert(args, read), strict=True))
        arrays = {name: array for name, (array, _) in found.items()}
        return arrays, [name for name, (_, own) in found.items() if own], number_of_points(read.counts)

    def _room(self, out: np.ndarray | None, shape: Shape, arrays: dict[str, np.ndarray]) -> np.ndarray:
        if out is None:
            require(8.0 * math.prod(shape), f"the results of a batch, {shape},", FEWER)
            return np.empty(shape)
        if not is_room(out, shape):
            raise InputError(f"out must be a contiguous float64 array of shape {shape} that can be written to")
        if any(np.may_share_memory(out, array) for array in arrays.values()):
            raise InputError("out shares memory with an argument: values would be written over what others depend on")
        return out

    def _sweep(self, lanes: frozenset[str], last: bool) -> tuple[Sweep, int] | None:
        """Return the sweeps of one point for blocks of points, and how many are in one."""
        sweeps = self.sweeps()
        if sweeps is None or any(sweep.source.calls_back for sweep in sweeps):
            return None
        sizes = {node.name: node.size for node in self.program.inputs if node.name in lanes}
        sizes[self.output] = int(np.prod(self.shape, dtype=np.int64))
        sources = [(sweep.source, sweep.sizes) for sweep in sweeps]
        source, width = in_lanes(f"{self.output}_of_points", sources, Layout(sizes, last))
        return Sweep(source, {}, self.engine), width

    def _one_by_one(self, args: Sequence[Any], lanes: list[str], out: np.ndarray, last: bool) -> None:
        """Call what computes one point, for each: operations that are not traced take one point at a time."""
        at, names = -1 if last else 0, itertools.chain(*self.signature.input_names())
        leaves = [
            (np.moveaxis(np.asarray(leaf, dtype=np.float64), at, 0), True) if name in lanes else (leaf, False)
            for name, leaf in zip(names, self.signature.leaves(args), strict=True)
        ]
        results = np.moveaxis(out, at, 0)  # which may be numbers
        for number in range(len(results)):
            of_point = iter([leaf[number] if own else leaf for leaf, own in leaves])
            results[number] = self.single(*(built(argument, of_point) for argument in self.signature.arguments))


class WithBatches:
    """Batches of what a prepared Jacobian or Hessian computes; part of both."""

    pattern: SparsityPattern
    structure: FixedStructure
    signature: Signature
    _matrix_batch: Batch

    @composable
    def batch(
        self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0, format: str = "values", **named: Any
    ) -> np.ndarray | scipy.sparse.csr_array:
        """Return the values of the matrices at many points.

        Parameters
        ----------
        X : array_like, shape (points, ...)
            The points; with ``axis=-1`` of shape ``(*x.shape, points)``, else ``(points, *x.shape)``.
        *args
            The other arguments of the function: of the shape that was prepared, for all points, or with an axis of
            points as X has; of a dict or another container, each of the arrays and numbers in it.
        out : ndarray of float64, optional
            Where to write the values.
        axis : int
            Where the points are, in arguments and results: 0 or -1. The last axis is the faster one.
        format : {"values", "csr"}
            The values, or one block-diagonal matrix with the matrices of all points.

        Returns
        -------
        ndarray, shape (points, nnz) or (nnz, points)
            As `values` returns them; those of a single call, to the bit but for the order of terms in sums over an
            axis. For ``format="csr"`` a csr_array.

        Raises
        ------
        InputError
            If a shape does not fit.

        Notes
        -----
        Code for batches is compiled at the first call, and serves any number of points. Threads share the points.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> jac = sad.jacobian(lambda x, p: p * x**2, np.ones(2), 1.0)
        >>> jac.batch(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), 0.5)
        array([[1., 2.],
               [3., 4.],
               [5., 6.]])
        """
        if not (isinstance(format, str) and format == "values"):
            check_options(self.signature, batch_format=format)
        values = self._matrix_batch(self.signature.placed((X, *args), named), out, axis)
        if format == "values":
            return values
        values = values if axis == 0 else np.ascontiguousarray(values.T)
        return block_diagonal(self.pattern, values if self.structure.in_order else self.structure.storage.read(values))


def batch_of(prepared: Any, name: str) -> Batch:
    """Return batches of the value of a function, or of its gradient; the points of cells are the cells."""
    function, sweep = prepared._functions[name], prepared._sweep(name)

    def single(*args: Any) -> np.ndarray:
        result = np.empty(function.size)
        sweep(**prepared._inputs(args), **{function.array: result})
        return result.reshape(function.shape)

    def sweeps() -> list[Sweep] | None:
        engine = replace(prepared.engine, of_points=True)
        return None if prepared.of_cell is not None else [value_sweep(function.kernels, engine)]

    output = function.array, function.shape
    return Batch(prepared.program, prepared.signature, prepared.engine, output, sweeps, single)


def block_diagonal(pattern: SparsityPattern, values: np.ndarray) -> scipy.sparse.csr_array:
    """Return one matrix of the matrices of all points, (points, nnz), along its diagonal."""
    count, (m, n), nnz = len(values), pattern.shape, pattern.nnz
    kind = index_dtype(count * max(n, nnz))
    starts = np.arange(count, dtype=kind)[:, None]
    indices = (pattern.indices + n * starts).reshape(-1)
    indptr = np.append((pattern.indptr[:-1] + nnz * starts).reshape(-1), kind(count * nnz))
    return scipy.sparse.csr_array((values.reshape(-1), indices, indptr), shape=(count * m, count * n))
