"""What was fixed when a derivative was prepared, compared by value with what is passed later.

A snapshot is taken at the preparation, so that an object which is passed again, changed in place, is noticed.
"""

from __future__ import annotations

import array
import dis
import functools
import sys
import types
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import is_installed, is_users
from sparsead.tracing.reflection import module_of, own_attributes

SIMPLE = (int, float, complex, str, bytes, bool, type(None), np.generic)
OPAQUE = (types.ModuleType, types.BuiltinFunctionType, np.ufunc)
PLAIN = (dict, list, tuple, deque, types.SimpleNamespace, types.MappingProxyType, functools.partial, types.MethodType)
MOST = 10_000  # parts of an object that are looked at
DEEP = 6  # objects inside objects, where they are not the user's own

Parts = dict[str, Any]


def snapshot(value: Any) -> Parts:
    """Return the parts of a value by name, as they are now: numbers, copies of arrays, types of containers."""
    return {name: part.copy() if type(part) is np.ndarray else part for name, part in parts(value)}


@dataclass(frozen=True)
class Same:
    """States that a part is the object that stands at another place as well, or all around it."""

    name: str


def difference(known: Parts, value: Any) -> tuple[str, Any, Any] | None:
    """Return a part in which a value differs from its snapshot: its name, what it was, what it is; None if equal."""
    found = dict(parts(value))
    if {n: v for n, v in known.items() if type(v) is Same} != {n: v for n, v in found.items() if type(v) is Same}:
        known, found = _written_out(known), _written_out(found)  # objects that are shared may be equal ones
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


def _written_out(of: Parts) -> Parts:
    """Return parts with those of a shared object at each place where it stands; what stands within itself stays."""
    found: Parts = {}
    for name, part in of.items():
        found[name] = part
        if type(part) is Same and not _is_within(name, part.name):
            inside = {n: p for n, p in found.items() if _is_within(n, part.name)}
            found |= {name + n[len(part.name) :]: p for n, p in inside.items()}
    return found


def _is_within(name: str, around: str) -> bool:
    return name == around or (name.startswith(around) and name[len(around)] in ".[ ")


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


def parts(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield names and parts of a value; a part that has parts itself is stated by its type, and taken apart once."""
    seen: dict[int, tuple[str, Any]] = {}
    waiting = [(name, value, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, (*SIMPLE, *OPAQUE)) or is_of_numbers(value) or (depth > DEEP and not _is_users_own(value)):
            yield name, value
        elif scipy.sparse.issparse(value):
            yield from _of_sparse(value, name)
        elif isinstance(value, (set, frozenset)):
            yield name, (type(value), frozenset(value))
        elif id(value) in seen:
            yield name, Same(seen[id(value)][0])
        else:
            seen[id(value)] = name, value  # which keeps it alive, and its number its own
            held = children(value)
            yield name, value if held is None else _stated(value)
            if held is not None and len(held) > MOST:
                yield f"{name} (what it holds)", tuple((key, child) for key, _, child in held)
            elif held is not None:
                if isinstance(value, (dict, types.MappingProxyType)):
                    yield f"{name} (the order of its keys)", tuple(value)
                waiting += [(name + spelled, child, depth + 1) for _, spelled, child in reversed(held)]


def _stated(value: Any) -> Any:
    """Return what is compared of a value that has parts, beside these."""
    if isinstance(value, np.ndarray):
        return type(value), value.dtype, value.shape
    if isinstance(value, types.FunctionType):
        return value.__code__
    return value if isinstance(value, type) else type(value)


def _is_users_own(value: Any) -> bool:
    """Tell whether a value is a plain container, or of a class, or a function, of the user's."""
    kind = type(value)
    return kind in PLAIN or kind is types.FunctionType or any(True for _ in users_classes(kind))


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


def children(value: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what a container holds: each with its key, and how errors spell that; None for what is none."""
    if value.__class__ is not type(value):  # what stands for a value while a function is traced
        return None
    if isinstance(value, type):
        return [(key, f".{key}", child) for key, child in class_data(value).items()] or None
    if isinstance(value, (functools.partial, types.MethodType, types.FunctionType)):
        return _of_callable(value)
    held = _items(value)
    labels = _labels(value)
    if labels is not None:
        return [*(held or []), *labels]
    if isinstance(value, np.ma.MaskedArray):  # its attributes come and go
        return [*(held or []), ("mask", ".mask", np.ma.getmaskarray(value))]
    own = attributes(value)
    if own is not None:
        own = {key: child for key, child in class_data(type(value)).items() if key not in own} | own
        return [*(held or []), *((key, f".{key}", child) for key, child in own.items())]
    return held


def _of_callable(f: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what is bound to a function: arguments, its object, default values, its closure, globals that it names."""
    named: dict[str, Any] = {}
    if isinstance(f, functools.partial):
        held = {"func": f.func, "args": f.args, "keywords": f.keywords}
    elif isinstance(f, types.MethodType):
        held = {"__func__": f.__func__, "__self__": f.__self__}
    elif is_users(f.__code__.co_filename):
        cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        held = {"__defaults__": f.__defaults__, "__kwdefaults__": f.__kwdefaults__} | f.__dict__
        held |= {name: cell.cell_contents for name, cell in cells if filled(cell)}
        held = {name: child for name, child in held.items() if child is not None}
        named = globals_of(f)
    else:
        return None
    own = [(key, f".{key}", child) for key, child in held.items()]
    return [*own, *((("__globals__", key), f".__globals__[{key!r}]", child) for key, child in named.items())]


def globals_of(f: types.FunctionType) -> dict[str, Any]:
    """Return the globals that a function of the user's names, and functions inside it: data, and other functions."""
    if is_installed(f.__code__.co_filename):
        return {}
    found = {name: f.__globals__[name] for name in _globals_named(f.__code__) if name in f.__globals__}
    return {name: value for name, value in found.items() if not name.startswith("__") and _is_plain(value)}


@functools.lru_cache(1024)
def _globals_named(code: types.CodeType) -> tuple[str, ...]:
    """Return the names of globals that code reads, and code inside it, in order; those of attributes are none."""
    own = (step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    inner = (_globals_named(held) for held in code.co_consts if isinstance(held, types.CodeType))
    return tuple(dict.fromkeys(chain(own, *inner)))


def _is_plain(value: Any) -> bool:
    """Tell whether a global is a number, an array, a container, a function, or an object of a class of the user's.

    What else stands in modules, as loggers do, changes in ways of its own.
    """
    if isinstance(value, (*SIMPLE, set, frozenset)) or scipy.sparse.issparse(value):
        return True
    if type(value) is types.FunctionType:
        return is_users(value.__code__.co_filename)
    return type(value) is np.ndarray or type(value) in PLAIN or (not callable(value) and _is_users_own(value))


def filled(cell: types.CellType) -> bool:
    """Tell whether there is something in a cell of a closure."""
    try:
        cell.cell_contents  # noqa: B018  (an empty cell raises)
    except ValueError:
        return False
    return True


def users_classes(cls: type) -> Iterator[type]:
    """Yield those of the classes that a class derives from, and itself, that are the user's."""
    for kind in cls.__mro__:
        home = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if kind.__module__ == "__main__" or (home is not None and is_users(home)):
            yield kind


def class_data(cls: type) -> dict[str, Any]:
    """Return the data among the attributes of the user's classes that a class derives from, and its own."""
    found: dict[str, Any] = {}
    for kind in users_classes(cls):
        found = {name: value for name, value in list(vars(kind).items()) if is_data(name, value)} | found
    return found


def is_data(name: str, value: Any) -> bool:
    """Tell whether an attribute of a class is a value, not a method or what else acts."""
    return not name.startswith("__") and not callable(value) and not hasattr(value, "__get__")


def _items(value: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what a container holds beside attributes."""
    if isinstance(value, (dict, types.MappingProxyType)):
        return [(key, f"[{key!r}]", child) for key, child in value.items()]
    if type(value) is np.ndarray:  # of objects
        value = value.ravel().tolist()
    elif isinstance(value, (np.ndarray, bytearray, memoryview, array.array)):
        return [("view", ".view", np.asarray(value))]
    elif hasattr(type(value), "__array__"):  # tables, series
        with suppress(Exception), warnings.catch_warnings():  # what lies on a device may refuse, units are stripped
            warnings.simplefilter("ignore")
            return [("array", ".array", np.asarray(value))]
    if isinstance(value, (list, tuple, deque)):
        return [(k, f"[{k}]", child) for k, child in enumerate(value)]
    return None


def _labels(value: Any) -> list[tuple[Any, str, Any]] | None:
    """Return what a table, series or index of pandas has beside its values; its attributes are its own business."""
    if module_of(type(value)).partition(".")[0] != "pandas" or not hasattr(type(value), "__array__"):
        return None
    labels = [(k, f".{k}", np.asarray(getattr(value, k))) for k in ("columns", "index") if hasattr(value, k)]
    kinds = value.dtypes.tolist() if hasattr(value, "columns") else [getattr(value, "dtype", None)]
    return [*labels, ("name", ".name", getattr(value, "name", None)), ("dtypes", ".dtypes", tuple(map(str, kinds)))]


def attributes(value: Any) -> dict[str, Any] | None:
    """Return the attributes that an object has of its own, also those that its class names slots for."""
    slots = {name for kind in type(value).__mro__ for name in _slots(kind)}
    by_value = type(value).__hash__ not in (None, object.__hash__)  # which promises that it does not change
    own = own_attributes(value)
    if own is None and (by_value or not slots):
        return None
    return {name: getattr(value, name) for name in sorted(slots) if hasattr(value, name)} | (own or {})


def _slots(kind: type) -> Iterator[str]:
    """Yield the names of the slots of a class that was written in Python."""
    named = vars(kind).get("__slots__", ())
    for name in (named,) if isinstance(named, str) else named:
        if isinstance(vars(kind).get(_mangled(name, kind)), types.MemberDescriptorType):
            yield _mangled(name, kind)


def _mangled(name: str, kind: type) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if private else name
