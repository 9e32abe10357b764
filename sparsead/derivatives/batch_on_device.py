"""Many points in one call on a device: a thread for each small point, a row of blocks for each large one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sparsead.derivatives.batch import has_points, number_of_points, with_points
from sparsead.derivatives.fast_calls import names_of
from sparsead.derivatives.validation import check_options
from sparsead.emit.device import DeviceSweeps, Plan
from sparsead.emit.layout import Layout
from sparsead.emit.points import MOST_PRIVATE, SMALL, TOTAL, ThreadOfPoint
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError
from sparsead.tracing.trees import Leaf

Shape = tuple[int, ...]


class BatchOnDevice:
    """What one derivative computes at a point, for many points, on a device.

    Parameters
    ----------
    made : OnDevice
        The derivative.
    batch : sparsead.derivatives.batch.Batch
        The same on the CPU.
    sweeps : callable
        Returns those of one point, for the device.
    """

    def __init__(self, made: Any, batch: Any, sweeps: Callable[[], Sequence[Sweep]]) -> None:
        self._cupy, self._arguments, self._tables = made._cupy, made._arguments, made._tables
        self._batch, self._sweeps = batch, sweeps
        self.output, self.shape = batch.output, batch.shape
        self._names = made.prepared._names
        self._sizes = {node.name: node.size for node in batch.program.inputs}
        self._by_argument: Any = names_of(batch.signature)
        self._sizes[self.output] = math.prod(self.shape)
        self._known: dict[tuple[frozenset[str], bool], tuple[DeviceSweeps, bool]] = {}

    def __call__(self, args: Sequence[Any], room: Any, axis: int) -> tuple[Any, tuple[Any, ...], Any]:
        """Return what `room(shape)` gives for the outputs, the arguments as they are read, and what has to be launched.

        That is None where nothing is left to be done.
        """
        check_options(axis=axis)
        last = axis != 0 and bool(self._batch.program.wrt.shape)
        arrays, several, count = self._arranged(args, last)
        out = room((*self.shape, count) if last else (count, *self.shape))
        if not out.size:
            return out, (), None
        key = frozenset(several), last
        if key not in self._known:
            self._known[key] = self._compiled(*key)
        sweeps, threads = self._known[key]
        if threads or not last:
            return out, tuple(arrays.values()), self._launch(sweeps, threads, arrays, out, count, several)
        # points first: each point has its numbers side by side
        self._arguments.refuse_in_capture("large points are turned round in new arrays", "use axis=0")
        turned = {name: self._turned(a, 0) if name in several else a for name, a in arrays.items()}
        first = self._cupy.empty((count, *self.shape))
        self._launch(sweeps, threads, turned, first, count, several)()
        out[...] = self._cupy.moveaxis(first, 0, -1)
        return out, (), None

    def _turned(self, array: Any, axis: int) -> Any:
        return self._cupy.ascontiguousarray(self._cupy.moveaxis(array, -1, axis), dtype="float64")

    def _launch(
        self, sweeps: DeviceSweeps, threads: bool, arrays: Any, out: Any, count: int, several: Any
    ) -> Callable[[], None]:
        given = {name: array.data.ptr for name, array in arrays.items()} | {self.output: out.data.ptr, TOTAL: count}
        if any(_overlap(out, array) for array in arrays.values()):
            raise InputError("out shares memory with an argument")
        if threads:
            return partial(sweeps, given)
        return partial(sweeps.at_many, given, {name: self._sizes[name] for name in (*several, self.output)}, count)

    def _compiled(self, several: frozenset[str], last: bool) -> tuple[DeviceSweeps, bool]:
        """Return what computes points, and whether each has a thread."""
        sizes = {name: self._sizes[name] for name in (*sorted(several), self.output)}
        sources = self._batch.sweeps() if self._sizes[self.output] <= SMALL else None
        if sources is not None:
            pairs = [(sweep.source, sweep.sizes) for sweep in sources]
            kernel = ThreadOfPoint(pairs, Layout(sizes, last), self.output)
            if kernel.private <= MOST_PRIVATE:
                return DeviceSweeps(Plan.of_points(kernel, self._tables), self._cupy), True
        return DeviceSweeps(Plan.of(self._sweeps(), self._tables, sizes), self._cupy), False

    def _arranged(self, args: Sequence[Any], last: bool) -> tuple[dict[str, Any], set[str], int]:
        """Return the arguments by name, the names of those with an axis of points, and the number of points."""
        signature = self._arguments.signature
        shapes: dict[int, Shape] = {}
        for k, (value, of) in enumerate(zip(args, signature.arguments, strict=False)):
            shape = tuple(getattr(value, "shape", ()))
            if not isinstance(of, Leaf):
                continue
            if has_points(shape, of.shape, last):
                shapes[k] = shape
            elif k == signature.argnum:
                wanted = with_points(of.shape, last)
                raise InputError(f"x has shape {shape}; for a batch it must be {wanted}, with axis={-last}")
        arrays = dict(zip(self._names, self._arguments(args, shapes), strict=True))
        counts = {signature._title(k): shape[-1 if last else 0] for k, shape in shapes.items()}
        return arrays, {self._by_argument[k] for k in shapes}, number_of_points(counts)


def _overlap(first: Any, second: Any) -> bool:
    return first.data.ptr < second.data.ptr + second.nbytes and second.data.ptr < first.data.ptr + first.nbytes
