"""What every derivative on a CUDA device shares: its function, batches, graphs, and how sweeps are launched there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sparsead.derivatives.batch_on_device import BatchOnDevice
from sparsead.derivatives.cuda_graph import CapturedCall
from sparsead.derivatives.device_arguments import Bound, Residents
from sparsead.derivatives.products import Product
from sparsead.emit.device import DeviceSweeps, Plan, Tables
from sparsead.emit.sweep import Engine, Sweep
from sparsead.errors import InputError
from sparsead.extras import optional
from sparsead.tracing.floats import DOUBLE

ENGINE = Engine("cuda")


def usable_cupy(
    method: str = "ad", guard: str = "error", format: str = "csr", triangle: str = "full", has_aux: bool = False
) -> Any:
    """Return CuPy, if the options go with a device and there is such a device."""
    if (method, guard, format, triangle, has_aux) != ("ad", "error", "csr", "full", False):
        raise InputError(
            "device='cuda' goes with method='ad', guard='error', format='csr', triangle='full' and has_aux=False; "
            "leave these out"
        )
    cupy = optional("cupy")
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CuPy has several, of its own: no driver, one that is too old
        raise InputError(f"device='cuda' needs a device that CuPy can use, but it says: {error}") from error
    if not count:
        raise InputError("device='cuda' needs a device that CuPy can use, and there is none; leave device out")
    return cupy


class OnDevice:
    """A prepared derivative on a device.

    Calls are queued on the current stream of CuPy; each stream, as each thread sees it, has work arrays of its own.
    With ``out=``, and arguments that are arrays of the device, nothing is allocated after the first call on a stream,
    and nothing waited for.

    Attributes
    ----------
    prepared : Jacobian, Hessian or Gradient
        What was prepared, on the CPU.
    """

    _products: tuple[Product, ...]

    def __init__(self, prepared: Any, cupy: Any) -> None:
        if not prepared.signature.plain:
            raise InputError("device='cuda' takes one array as x; put its parts into one vector")
        self.prepared = prepared = prepared._written_out
        self._cupy, self._ndarray = cupy, cupy.ndarray
        self._tables = Tables(cupy)
        self._arguments = Residents(prepared.signature, cupy)
        self._known: dict[str, DeviceSweeps] = {}
        self._batches: dict[str, BatchOnDevice] = {}
        self._bound: dict[Any, Bound | None] = {}
        self._last: dict[Any, tuple[int, ...]] = {}  # the objects of calls, by their numbers

    def __repr__(self) -> str:
        return f"{self.prepared!r} on a CUDA device"

    def value(self, x: Any, *args: Any, out: Any = None) -> Any:
        """Return the value of the function.

        Parameters
        ----------
        x, *args
            Arrays of the device: what has ``__cuda_array_interface__`` or DLPack. Others are copied there; of the
            host's `args`, those that have changed since the last call.
        out : cupy.ndarray, optional
            Where to write it.

        Returns
        -------
        cupy.ndarray
        """
        return self._function("value", (x, *args), out)

    def put(self, x: Any, *args: Any) -> tuple[Any, ...]:
        """Return the arguments of a call with their numbers on the device, for calls to be given in their place.

        Arrays and numbers become arrays of CuPy; what is one already is returned as it is. A container becomes an
        object that calls of this derivative read. What of it lies on the host is copied here, and looked at no more:
        calls then need not compare it with what they were given before.

        Parameters
        ----------
        x, *args
            As in `value`.
        """
        return self._arguments.put((x, *args))

    def value_batch(self, X: Any, *args: Any, out: Any = None, axis: int = 0) -> Any:
        """Return the values of the function at many points.

        Parameters
        ----------
        X, *args
            Arrays of the device, as in `value`; X with an axis of points, others with one or without.
        out : cupy.ndarray, optional
            Where to write them.
        axis : int
            Where the points are, in arguments and results: 0 or -1. The last axis is the faster one for small points.

        Returns
        -------
        cupy.ndarray, shape (points, ...) or (..., points)
        """
        return self._at_many("value", (X, *args), out, axis)

    def graph(self, x: Any, *args: Any, out: Any = None, of: str = "__call__") -> CapturedCall:
        """Return a call as a CUDA graph, which is launched in a few microseconds, however many kernels it has.

        Parameters
        ----------
        x, *args
            As in the call. The graph reads the arrays of the device that are given here at each launch: what they
            contain may change, where they lie may not. What is of the host is copied there, once.
        out : optional
            A result of an earlier call, to be overwritten; by default a new one.
        of : str
            Which method is called, with these arguments: ``"values"``, ``"value"``, ``"jvp"``, ..

        Returns
        -------
        CapturedCall
            ``graph.launch()`` writes the result, ``graph.out``.
        """
        return CapturedCall(self, of, (x, *args), out)

    # -- what all share -------------------------------------------------------------------------------------
    def _held(self, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of a method as a graph reads them."""
        product = next((p for p in self.prepared._products if p.name == name), None)
        if product is None or len(args) < 2:
            return self._arguments.put(args, itself=True)
        size, _ = product.sizes(self.prepared.shape)
        vector = self._arguments.leaf(args[1], (size,), product.vector, itself=True)
        x, *rest = self._arguments.put((args[0], *args[2:]), itself=True)
        return (x, vector, *rest)

    def _room(self, name: str, out: Any, shape: tuple[int, ...]) -> Any:
        """Return a new array, or `out` after a look at its shape and type."""
        if out is None:
            return self._cupy.empty(shape)
        fits = isinstance(out, self._ndarray) and (out.shape == shape or out.shape == (math.prod(shape),))
        if not fits or out.dtype != DOUBLE or not out.flags.c_contiguous:
            raise InputError(f"{name}: out must be a contiguous float64 array of CuPy, of shape {shape}")
        return out

    def _run(
        self, name: str, args: tuple[Any, ...], written: dict[str, Any], read: tuple[str, Any] | None = None
    ) -> None:
        """Launch sweeps on arguments, on a vector that is `read` besides, and on what is `written`, by names."""
        arrays = self._arguments(args)
        given = [(n, a.data.ptr, a.nbytes) for n, a in zip(self.prepared._names, arrays, strict=True)]
        if read is not None:
            given.append((read[0], read[1].data.ptr, read[1].nbytes))
        for array, out in written.items():
            begin, size = out.data.ptr, out.nbytes
            if size and any(begin < other + many and other < begin + size for _, other, many in given):
                raise InputError("out shares memory with an argument, or with another out")
            given.append((array, begin, size))
        launch = partial(self._sweeps(name), {array: begin for array, begin, _ in given})
        launch()
        vector = () if read is None else (read[1],)
        self._called(name, (*args, *vector, *written.values()), (*arrays, *vector, *written.values()), launch)

    def _called(self, name: Any, objects: tuple[Any, ...], arrays: tuple[Any, ...], launch: Callable[[], None]) -> None:
        """Bind a call to its objects, if it was the last one, too: it seems to come again and again."""
        numbers = tuple(map(id, objects))
        if numbers == self._last.get(name):
            self._bound[name] = Bound.of(objects, launch, arrays, self._ndarray)
        self._last[name] = numbers

    def _again(self, name: Any, objects: tuple[Any, ...]) -> bool:
        """Launch what was launched last, if it is on the very same objects; tell whether it is."""
        bound = self._bound.get(name)
        if bound is None or not bound.is_of(objects):
            return False
        if bound.has_numbers and self._cupy.cuda.get_current_stream().is_capturing():
            return False  # the general way says what is wrong
        bound.launch()
        return True

    def _sweeps(self, name: str) -> DeviceSweeps:
        """Return the sweeps of a function, product or matrix; they are compiled when they are first asked for."""
        if name not in self._known:
            self._known[name] = DeviceSweeps(Plan.of(self._written(name), self._tables), self._cupy)
        return self._known[name]

    def _written(self, name: str) -> Sequence[Sweep]:
        """Return the sweeps of a function, product or matrix, as they are written for a device."""
        prepared = self.prepared
        if name in ("matrix", "all"):
            sweeps: Sequence[Sweep] = prepared._assembly.on(ENGINE).all_sweeps(
                prepared._both if name == "all" else None
            )
            return sweeps
        return [prepared._new_sweep(name, ENGINE)]

    def _at_many(self, name: str, args: tuple[Any, ...], out: Any, axis: int) -> Any:
        """Return a function, or the values of the matrix, at many points."""
        key = name, axis, getattr(args[0], "shape", None)  # a shape can be changed in place
        if out is not None and self._again(key, (*args, out)):
            return out
        if name not in self._batches:
            batch = self.prepared._matrix_batch if name == "matrix" else self.prepared._batches(name)
            self._batches[name] = BatchOnDevice(self, batch, lambda: self._written(name))
        made, arrays, launch = self._batches[name](args, lambda shape: self._room("a batch", out, shape), axis)
        if launch is not None:
            launch()
            self._called(key, (*args, made), (*arrays, made), launch)
        return made

    def _function(self, name: str, args: tuple[Any, ...], out: Any) -> Any:
        if out is not None and self._again(name, (*args, out)):
            return out
        function = self.prepared._functions[name]
        room = self._room(name, out, function.shape)
        self._run(name, args, {function.array: room})
        return room
