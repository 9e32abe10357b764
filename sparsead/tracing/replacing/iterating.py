"""Loops over several arrays at once: ``np.nditer``, ``np.ndenumerate`` and ``np.broadcast`` of traced ones.

NumPy itself walks over the positions, and hands out views of them; where they lie, the elements of the arrays lie. So
the order, broadcasting, counters and the views that are written to are NumPy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.tracing import layout
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.calls import as_numbers
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import adopted
from sparsead.tracing.replacing.names import patch

CONVERTING = {"buffered", "ranged", "copy_if_overlap", "common_dtype"}
HINT = "Use np.ndindex(x.shape) or np.ndenumerate(x), or array operations."


def _enumerated(arr: Any) -> Any:
    """``np.ndenumerate``."""
    array = stack_objects(arr)
    if not isinstance(array, (TracedArray, TracedComplex)):
        return _ndenumerate(arr)
    return ((place, array[place]) for place in np.ndindex(array.shape))


class Iteration:
    """What ``np.nditer`` of traced arrays returns: the iterator over their positions, which gives their elements."""

    def __init__(self, operands: list[Any], walk: Any) -> None:
        vars(self).update(_operands=operands, _walk=walk)

    @classmethod
    def of(cls, operands: list[Any], flags: Any, op_flags: Any, options: dict[str, Any]) -> Iteration:
        """Begin to iterate; NumPy makes arrays of positions where it is given None: their memory is made here."""
        walk = _nditer([o.positions if isinstance(o, TracedArray) else o for o in operands], flags, op_flags, **options)
        for k, operand in enumerate(operands):
            if operand is None:
                new = adopted(np.zeros_like(walk.operands[k], dtype=np.float64))
                walk.operands[k][...] = new.positions
                operands[k] = new.moved(walk.operands[k])
        return cls(operands, walk)

    def _given(self, found: Any) -> Any:
        """Return elements for what was found at the place of each operand."""
        if not isinstance(found, tuple):
            return self._element(0, found)
        return tuple(self._element(k, part) for k, part in enumerate(found))

    def _element(self, k: int, part: Any) -> Any:
        operand = self._operands[k]
        if not isinstance(operand, TracedArray):
            return part
        first = int(part[(0,) * part.ndim]) if part.size else 0
        # the iterator frees what its views look at when it is closed
        positions = layout.placed(operand.storage.size, part.shape, first, layout.steps(part))
        positions.flags.writeable = part.flags.writeable
        return TracedArray(operand.storage, positions)

    @property
    def operands(self) -> tuple[Any, ...]:
        """The arrays."""
        return tuple(self._operands)

    @property
    def itviews(self) -> tuple[Any, ...]:
        """The arrays as they are walked over."""
        return tuple(self._element(k, view) for k, view in enumerate(self._walk.itviews))

    @property
    def dtypes(self) -> tuple[Any, ...]:
        """The types of the elements."""
        return tuple(operand.dtype for operand in self._operands)

    def copy(self) -> Iteration:
        """Return another iterator that begins at the present place."""
        return Iteration(self._operands, self._walk.copy())

    __copy__ = copy

    @property
    def value(self) -> Any:
        """The elements at the present place."""
        return self._given(self._walk.value)

    def __iter__(self) -> Iterator[Any]:
        return (self._given(found) for found in self._walk)

    def __next__(self) -> Any:
        return self._given(next(self._walk))

    def __getitem__(self, k: Any) -> Any:
        found = self._walk.value
        return self._given(found)[k] if isinstance(found, tuple) else (self._given(found),)[k]

    def __setitem__(self, k: Any, value: Any) -> None:
        if isinstance(k, slice):
            for array, part in zip(self[k], value, strict=True):
                array[...] = part
        else:
            self[k][...] = value

    def __len__(self) -> int:
        return len(self._operands)

    def __enter__(self) -> Iteration:
        self._walk.__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        self._walk.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._walk, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._walk, name, value)


def _iterated(op: Any, flags: Any = None, op_flags: Any = None, *args: Any, **kwargs: Any) -> Any:
    """``np.nditer``."""
    several = isinstance(op, (list, tuple))
    operands = [o if o is None else stack_objects(o) for o in (op if several else [op])]
    if not any(True for _ in traced_in(operands)):
        return _nditer(op, flags or [], op_flags, *args, **kwargs)
    options = dict(zip(("op_dtypes", "order", "casting", "op_axes", "itershape", "buffersize"), args, strict=False))
    options |= kwargs
    types = [np.dtype(t) for t in np.atleast_1d(options.pop("op_dtypes", None) or []) if t is not None]
    converting = CONVERTING & set(flags or ()) or any(t != np.float64 for t in types)
    if converting or any(isinstance(o, TracedComplex) for o in operands):
        raise unsupported("np.nditer with buffers, of complex values, or converting", HINT)
    made = traced if any(o is None for o in operands) else np.asarray  # NumPy makes what all of them have in common
    operands = [o if o is None or isinstance(o, TracedArray) else made(o) for o in operands]
    return Iteration.of(operands, list(flags or []), op_flags, options)


class Broadcast:
    """What ``np.broadcast`` of traced arrays returns."""

    def __init__(self, arrays: list[Any]) -> None:
        self._arrays = arrays
        self._shapes = _broadcast(*(np.empty(np.shape(a), np.bool_) for a in arrays))
        self._elements = zip(*(np.broadcast_to(a, self.shape).flat for a in arrays), strict=True)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return tuple(map(as_numbers, next(self._elements)))

    def __getattr__(self, name: str) -> Any:
        if name in ("iters", "reset", "index"):
            raise unsupported(f"np.broadcast(...).{name}", "Iterate over it, or use np.broadcast_arrays.")
        return getattr(self._shapes, name)


def _broadcasting(*arrays: Any) -> Any:
    """``np.broadcast``."""
    together = [stack_objects(a) for a in arrays]
    if not any(True for _ in traced_in(together)):
        return _broadcast(*arrays)
    return Broadcast([a if hasattr(a, "shape") else np.asarray(a) for a in together])


_nditer: Any = np.nditer
_ndenumerate, _broadcast = np.ndenumerate, np.broadcast
patch(np.ndenumerate, _enumerated)
patch(np.nditer, _iterated)
patch(np.broadcast, _broadcasting)
