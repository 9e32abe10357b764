"""Functions that build an array from the elements of several, or of one and zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import as_written, assembled, dtype_of, is_traced, known
from sparsead.ops.registry import assembling, composite, record
from sparsead.program.index import Shape
from sparsead.program.room import require_numbers
from sparsead.tracing.array import traced_in
from sparsead.tracing.complex import is_complex, parts
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import adopted, complex_of_parts
from sparsead.tracing.late import AS_NUMPY
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.replacing.methods import replace_method

assembling(
    np.concatenate,
    lambda x: np.concatenate([x, x[:1], np.ones((1, 4))]),
    lambda x: np.concatenate((x, x), axis=1),
)
assembling(np.stack, lambda x: np.stack([np.zeros((3, 4)), x, x * x], axis=1))
assembling(np.hstack, lambda x: np.hstack([x, x[:, :1]]))
assembling(np.vstack, lambda x: np.vstack([x, x[0]]))
assembling(np.dstack, lambda x: np.dstack([x, x]))
assembling(np.column_stack, lambda x: np.column_stack([x, x[:, 0]]))
assembling(np.block, lambda x: np.block([[x, np.zeros((3, 1))], [x[:1], np.ones((1, 1))]]))
assembling(np.append, lambda x: np.append(x, 1.0), lambda x: np.append(x, x, axis=0), arrays=2)
assembling(
    np.resize,
    lambda x: np.resize(x, (2, 8)),
    lambda x: np.resize(x[:0], 3),  # of nothing it makes zeros
    size=lambda a, new_shape: float(np.prod(new_shape, dtype=float)),
)
assembling(np.tril, np.tril, lambda x: np.tril(x, 1))
assembling(np.triu, lambda x: np.triu(x, 1))
assembling(np.diagflat, lambda x: np.diagflat(x[0]), size=lambda v, k=0: (np.size(v) + abs(float(k))) ** 2)


@composite(np.diag, lambda x: np.diag(x[0]), lambda x: np.diag(x), family="assembly")
def diag(v: Any, k: int = 0) -> Any:
    """``np.diag``: a matrix with a diagonal, or the diagonal of a matrix."""
    if np.ndim(v) == 2:
        return np.diagonal(v, k)
    require_numbers((np.size(v) + abs(float(k))) ** 2, "np.diag")
    return assembled(lambda a: np.diag(a, k), v)


@composite(np.insert, lambda x: np.insert(x, 1, x[0] * x[1], axis=0), family="assembly")
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """``np.insert`` with static places."""
    places = known(obj, "np.insert with obj=")
    return assembled(lambda a, v: np.insert(a, places, v, axis), arr, as_written(values, dtype_of(arr)))


@composite(
    np.pad,
    lambda x: np.pad(x, 1),
    lambda x: np.pad(x, ((1, 2), (0, 1)), mode="edge"),
    lambda x: np.pad(x, 1, mode="wrap"),
    lambda x: np.pad(x, 1, mode="reflect"),
    lambda x: np.pad(x, 1, constant_values=2.0),
    lambda x: np.pad(x, 1, constant_values=[(x[0, 0], 1.0), (2.0, x[1, 1])]),
    lambda x: np.pad(x, 2, mode="reflect", reflect_type="odd"),
    lambda x: np.pad(x, ((2, 1), (0, 3)), mode="linear_ramp", end_values=2.0),
    lambda x: np.pad(x, ((2, 1), (0, 3)), mode="maximum"),
    lambda x: np.pad(x, ((2, 1), (0, 3)), mode="median", stat_length=((2, 3), (1, 9))),
    lambda x: np.pad(x, 1, mode="mean", stat_length=2),
    family="assembly",
)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """``np.pad`` in the modes that copy elements or are linear in them."""
    dtype, array = dtype_of(array), traced(array)
    if np.ndim(pad_width) <= 2 and not isinstance(pad_width, dict):
        widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).sum(axis=1)
        require_numbers(np.prod(widths + array.shape, dtype=float), "np.pad")
    np.pad(np.zeros(array.shape), pad_width, mode, **_plain_values(kwargs))  # raises what NumPy raises
    if mode == "empty":
        mode = "constant"
    if mode == "constant":
        constants = as_written(traced(kwargs.get("constant_values", 0)), dtype)
        return assembled(lambda a, c: np.pad(a, pad_width, constant_values=c), array, constants)
    if mode in ("edge", "wrap", "reflect", "symmetric") and kwargs.get("reflect_type", "even") == "even":
        return assembled(lambda a: np.pad(a, pad_width, mode, **kwargs), array)
    if mode in STATISTICS:
        return _padded_by_statistics(array, pad_width, STATISTICS[mode], kwargs.get("stat_length"))
    if any(True for _ in traced_in(kwargs)):
        raise unsupported(f"np.pad with mode={mode!r} and settings that depend on x", "Those of constant_values= may.")
    if mode not in ("reflect", "symmetric", "mean", "linear_ramp"):
        known_modes = "constant, edge, wrap, reflect, symmetric, mean, median, maximum, minimum, linear_ramp"
        raise unsupported(f"np.pad with mode={mode!r}", f"These modes are traced: {known_modes}.")
    zeros = np.pad(np.zeros(array.shape), pad_width, mode, **kwargs)
    return _padded_by_matrices(array, pad_width, mode, {k: v for k, v in kwargs.items() if k != "end_values"}) + zeros


AS_NUMPY.add(np.pad)


def _plain_values(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings with zeros for what is unknown."""
    return {k: np.zeros(np.shape(stack_objects(v))) if is_traced(stack_objects(v)) else v for k, v in settings.items()}


STATISTICS: dict[Any, Any] = {"maximum": np.max, "minimum": np.min, "median": np.median}


def _by_axis(array: Any, pad_width: Any, stat_length: Any) -> tuple[Any, Any]:
    """Return widths and lengths at both ends of every axis."""
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - array.ndim, 0)) for k in range(array.ndim)]
        pad_width = [(w, w) if np.ndim(w) == 0 else tuple(w) for w in pad_width]
    return np.broadcast_to(pad_width, (array.ndim, 2)), np.broadcast_to(stat_length, (array.ndim, 2))


def _padded_by_statistics(array: Any, pad_width: Any, statistic: Any, stat_length: Any) -> Any:
    """Pad one axis after the other, as NumPy does, with a statistic of so many elements at each end, or of all."""
    for axis, (width, length) in enumerate(zip(*_by_axis(array, pad_width, stat_length), strict=True)):
        line = np.moveaxis(array, axis, 0)
        ends = [line[: length[0]], line if length[1] is None else line[max(len(line) - length[1], 0) :]]
        filled = [
            np.broadcast_to(statistic(end, axis=0), (count, *line.shape[1:])) if count else line[:0]
            for end, count in zip(ends, width, strict=True)
        ]
        array = np.moveaxis(np.concatenate([filled[0], line, filled[1]]), 0, axis)
    return array


def _padded_by_matrices(array: Any, pad_width: Any, mode: Any, settings: dict[str, Any]) -> Any:
    """Pad one axis after the other, as NumPy does: what it makes of the unit vectors, times the elements."""
    widths, lengths = _by_axis(array, pad_width, settings.pop("stat_length", None))
    for axis, (width, length) in enumerate(zip(widths, lengths, strict=True)):
        if mode == "mean":
            settings["stat_length"] = None if length[0] is None else [tuple(length), (1, 1)]
        matrix = np.pad(np.eye(array.shape[axis]), [tuple(width), (0, 0)], mode, **settings)
        array = np.moveaxis(np.tensordot(matrix, array, axes=(1, axis)), 0, axis)
    return array


@composite(np.broadcast_arrays, lambda x: np.broadcast_arrays(x, x[0])[1], family="movement")
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """``np.broadcast_arrays``."""
    arrays = tuple(a if isinstance(a, Positioned) else adopted(np.asarray(a)) for a in map(stack_objects, args))
    shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
    if all(np.shape(a) == shape for a in arrays):
        return arrays
    return tuple(
        a.moved(_spread(a.positions, shape)) if isinstance(a, Positioned) else _spread(a, shape) for a in arrays
    )


def _spread(array: np.ndarray, shape: Shape) -> np.ndarray:
    """Return a view of an array in another shape, which may be written to as the array may."""
    view = np.broadcast_arrays(array, np.broadcast_to(0, shape))[0]
    view.flags.writeable = (
        array.flags.writeable
    )  # set, for NumPy warns whoever finds it as `broadcast_arrays` leaves it
    return view


def joined(original: Any, by: Any, key: Any) -> Any:
    """``np.r_[...]`` and ``np.c_[...]``: slices become arrays, everything else is placed by NumPy itself."""
    items = list(key) if isinstance(key, tuple) else [key]
    directive = [items.pop(0)] if isinstance(items[0], str) else []
    arrays = [original(np.r_, item) if isinstance(item, slice) else item for item in items]

    def placed(operands: list[Any]) -> Any:
        return assembled(lambda *numbered: original(by, (*directive, *numbered)), *operands)

    if not is_complex(arrays):
        return placed(arrays)
    real, imag = parts(arrays)
    return complex_of_parts(placed(real), placed(imag))


replace_method("numpy.lib._index_tricks_impl", "AxisConcatenator", "__getitem__", joined)
record("assembly", "np.r_", (lambda x: np.r_[x[0], 1.0, 0:2, x[:, 1]], lambda x: np.r_["-1,2,0", x[0], x[1]]))
record("assembly", "np.c_", (lambda x: np.c_[x, x[:, 0], 0:3],))
