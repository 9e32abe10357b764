"""What was fixed when a derivative was prepared, compared by value with what is passed later.

A snapshot is taken at the preparation, so that an object which is passed again, changed in place, is noticed.
"""

from __future__ import annotations

import array
import types
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import scipy.sparse

SIMPLE = (int, float, complex, str, bytes, bool, type(None), np.generic)
OPAQUE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc)
MOST = 10_000  # parts of an object that are looked at
DEEP = 6  # objects inside objects

Parts = dict[str, Any]


def snapshot(value: Any) -> Parts:
    """Return the parts of a value by name, as they are now: numbers, copies of arrays, types of containers."""
    return {name: part.copy() if type(part) is np.ndarray else part for name, part in parts(value)}


def difference(known: Parts, value: Any) -> tuple[str, Any, Any] | None:
    """Return a part in which a value differs from its snapshot: its name, what it was, what it is; None if equal."""
    found = dict(parts(value))
    for name, part in found.items():
        if name not in known:
            return name, "not there", part
        if not equal(known[name], part):
            return name, known[name], part
    missing = next((name for name in known if name not in found and known[name] is not Free), None)
    return None if missing is None else (missing, known[missing], "not there")


def let_go(known: Parts, value: Any) -> None:
    """Compare no longer, from now on, what has changed since a snapshot: the function itself writes there."""
    found = dict(parts(value))
    for name in {*known, *found}:
        if name not in known or name not in found or not equal(known[name], found[name]):
            known[name] = Free


class Free:
    """Stands for a part that may be anything."""


def equal(known: Any, part: Any) -> bool:
    """Tell whether a part is what it was; NaN equals NaN."""
    if known is Free or known is part:
        return True
    if type(known) is not type(part):
        return False
    if type(known) is np.ndarray:
        same = known.dtype == part.dtype and known.shape == part.shape
        return same and (_same_bits(known, part) or np.array_equal(known, part, equal_nan=known.dtype.kind in "fc"))
    if isinstance(known, SIMPLE):
        return bool(known == part) or (known != known and part != part)
    try:
        return bool(known == part)
    except Exception:  # whatever comparisons of strange objects may raise
        return False


def _same_bits(known: np.ndarray, part: np.ndarray) -> bool:
    """Tell whether arrays of doubles hold the same bits: mostly they do, and NaN need not be looked for."""
    return known.dtype == np.float64 and bool((known.view(np.int64) == part.view(np.int64)).all())


def parts(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield names and parts of a value; a part that has parts itself is stated by its type."""
    if isinstance(value, (*SIMPLE, *OPAQUE)) or is_of_numbers(value) or depth > DEEP:
        yield name, value
    elif scipy.sparse.issparse(value):
        yield from _of_sparse(value, name)
    else:
        yield from _of_container(value, name, depth)


def is_of_numbers(value: Any) -> bool:
    """Tell whether a value is an array that holds no objects, which might be changed in place."""
    return type(value) is np.ndarray and not value.dtype.hasobject


def arrays_of(matrix: Any) -> dict[str, np.ndarray]:
    """Return the arrays that a sparse matrix is made of; none for lists of lists and dictionaries."""
    arrays = {key: held for key, held in vars(matrix).items() if isinstance(held, np.ndarray)}
    return {} if any(held.dtype.hasobject for held in arrays.values()) else arrays


def _of_sparse(matrix: Any, name: str) -> Iterator[tuple[str, Any]]:
    arrays = arrays_of(matrix)
    if not arrays:
        matrix = matrix.tocoo()
        arrays = {"data": matrix.data}
    yield name, (type(matrix), matrix.shape)
    yield from ((f"{name}.{key}", held) for key, held in arrays.items())
    yield from ((f"{name}.coords[{k}]", held) for k, held in enumerate(getattr(matrix, "coords", ())))


def _of_container(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (set, frozenset)):
        yield name, (type(value), frozenset(value))
        return
    held = children(value)
    if held is None:
        yield name, value
        return
    yield name, (type(value), value.dtype, value.shape) if isinstance(value, np.ndarray) else type(value)
    if len(held) > MOST:
        yield f"{name} (what it holds)", tuple((key, child) for key, _, child in held)
        return
    for _, spelled, child in held:
        yield from parts(child, name + spelled, depth + 1)
    if isinstance(value, (dict, types.MappingProxyType)):
        yield f"{name} (the order of its keys)", tuple(value)


def children(value: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what a container holds: each with its key, and how errors spell that; None for what is none."""
    if value.__class__ is not type(value):  # what stands for a value while a function is traced
        return None
    held = _items(value)
    labels = _labels(value)
    if labels is not None:
        return [*(held or []), *labels]
    if isinstance(value, np.ma.MaskedArray):  # its attributes come and go
        return [*(held or []), ("mask", ".mask", np.ma.getmaskarray(value))]
    own = attributes(value)
    if own is not None:
        return [*(held or []), *((key, f".{key}", child) for key, child in own.items())]
    return held


def _items(value: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what a container holds beside attributes."""
    if isinstance(value, (dict, types.MappingProxyType)):
        return [(key, f"[{key!r}]", child) for key, child in value.items()]
    if type(value) is np.ndarray:  # of objects
        value = value.ravel().tolist()
    elif isinstance(value, (np.ndarray, bytearray, memoryview, array.array)):
        return [("view", ".view", np.asarray(value))]
    elif hasattr(type(value), "__array__"):  # tables, series
        with suppress(Exception):  # what lies on a device may refuse
            return [("array", ".array", np.asarray(value))]
    if isinstance(value, (list, tuple, deque)):
        return [(k, f"[{k}]", child) for k, child in enumerate(value)]
    return None


def _labels(value: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what a table, series or index of pandas has beside its values; its attributes are its own business."""
    if type(value).__module__.partition(".")[0] != "pandas" or not hasattr(type(value), "__array__"):
        return None
    labels = [(k, f".{k}", np.asarray(getattr(value, k))) for k in ("columns", "index") if hasattr(value, k)]
    kinds = value.dtypes.tolist() if hasattr(value, "columns") else [getattr(value, "dtype", None)]
    return [*labels, ("name", ".name", getattr(value, "name", None)), ("dtypes", ".dtypes", tuple(map(str, kinds)))]


def attributes(value: Any) -> dict[str, Any] | None:
    """Return the attributes that an object has of its own, also those that its class names slots for."""
    slots = {name for kind in type(value).__mro__ for name in _slots(kind)}
    by_value = type(value).__hash__ not in (None, object.__hash__)  # which promises that it does not change
    if not hasattr(value, "__dict__") and (by_value or not slots):
        return None
    held = {name: getattr(value, name) for name in sorted(slots) if hasattr(value, name)}
    return held | getattr(value, "__dict__", {})


def _slots(kind: type) -> Iterator[str]:
    """Yield the names of the slots of a class that was written in Python."""
    named = vars(kind).get("__slots__", ())
    for name in (named,) if isinstance(named, str) else named:
        if isinstance(vars(kind).get(_mangled(name, kind)), types.MemberDescriptorType):
            yield _mangled(name, kind)


def _mangled(name: str, kind: type) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if private else name
