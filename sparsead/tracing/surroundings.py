"""What a function reads besides its arguments, as it was when a derivative was prepared, and what has changed since.

Globals, closures, default values, bound arguments, attributes of its object: all of them are frozen by a trace. The
names that code may read are those that its bytecode holds; what stands behind them is looked at, in functions of the
user that it calls as well. This names causes; that a matrix is right is for a comparison of values to say.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from sparsead.errors import is_users
from sparsead.tracing.fixed import SIMPLE, Parts, equal, filled, is_data, parts, users_classes
from sparsead.tracing.reflection import own_attributes
from sparsead.tracing.replacing.undo import CHANGES
from sparsead.tracing.wrappers import inner

#: Binds another value at a place, as long as functions are traced.
Bind = Callable[[Any], None]


class Place(NamedTuple):
    """The name of something, words for where it is, what it is, and what binds another value there."""

    name: str
    where: str
    value: Any
    bind: Bind


MOST = 2_000  # parts that are looked at in all
LARGE = 10_000  # elements of an array beyond which so many are looked at


class Surroundings:
    """What a function read from outside when this was made."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._known = _snapshot(function)

    def changes(self) -> list[str]:
        """Return a sentence for each part that is not what it was, as far as that can be seen."""
        now = _snapshot(self._function)
        both = (name for name in self._known if name in now)
        return [
            f"{name} has changed since the preparation, which fixed it: {_short(self._known[name])} then, "
            f"{_short(now[name])} now; pass it as an argument, or prepare again"
            for name in both
            if not equal(self._known[name], now[name])
        ]


def _short(part: Any) -> str:
    if isinstance(part, np.ndarray):
        return f"elements that add up to {part.sum():.6g}" if part.dtype.kind in "fiu" else "other elements"
    text = repr(part)
    return text if len(text) < 40 else f"{text[:36]} .."


def _snapshot(function: Callable[..., Any]) -> Parts:
    """The parts of what a function reads, by name."""
    found: Parts = {}
    for place in read_by(function):
        for name, part in islice(parts(place.value, place.name), MOST - len(found)):
            found[f"{name}, {place.where},"] = _held(part)
    return found


def _held(part: Any) -> Any:
    """A copy of a part that may change in place; of a large array, of some of its elements."""
    if type(part) is not np.ndarray:
        return part
    step = -(-part.size // LARGE)
    return part.copy() if step <= 1 else part.flat[::step]


def read_by(f: Any, seen: set[int] | None = None) -> Iterator[Place]:
    """Yield what a callable may read."""
    f, seen = inner(f), set() if seen is None else seen
    if id(f) in seen:
        return
    seen.add(id(f))
    if isinstance(f, functools.partial):
        for k, held in enumerate(f.args):
            yield Place(f"argument {k}", "bound by functools.partial", held, partial(_bind_argument, f, k))
        for name, held in f.keywords.items():
            yield Place(name, "bound by functools.partial", held, partial(CHANGES.item, f.keywords, name))
        yield from read_by(f.func, seen)
    elif isinstance(f, types.MethodType) and isinstance(f.__func__, types.FunctionType):
        yield from _read_by_code(f.__func__, seen, f.__self__)
    elif isinstance(f, types.FunctionType):
        yield from _read_by_code(f, seen, None)
    else:
        called: Any = inspect.getattr_static(type(f), "__call__", None)
        if isinstance(called, types.FunctionType):
            yield from _read_by_code(called, seen, f)


def _read_by_code(f: types.FunctionType, seen: set[int], owner: Any) -> Iterator[Place]:
    """Yield what the code of a function names: in its closure, its module, its defaults, and its object."""
    if not is_users(f.__code__.co_filename):
        return
    names = _names(f.__code__)
    for place in _named_by(f, names):
        yield from _at_place(place, names, seen)
    held = own_attributes(owner) or {}
    if owner is not None:
        yield from (place for place in data_of_class(type(owner)) if place.name in names and place.name not in held)
    for name in names if owner is not None else ():
        if name in held:
            where = f"an attribute of {type(owner).__name__}"
            yield from _at_place(Place(name, where, held[name], partial(CHANGES.item, held, name)), names, seen)
        elif isinstance(method := getattr(type(owner), name, None), types.FunctionType) and id(method) not in seen:
            seen.add(id(method))
            yield from _read_by_code(method, seen, owner)


def _named_by(f: types.FunctionType, names: list[str]) -> Iterator[Place]:
    """Yield what a function itself holds."""
    for name in names:
        if name in f.__globals__:
            bind = partial(CHANGES.item, f.__globals__, name)
            yield Place(name, f"a global of {f.__module__}", f.__globals__[name], bind)
    for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
        if filled(cell):
            yield Place(name, f"in the closure of {f.__name__}", cell.cell_contents, partial(CHANGES.cell, cell))
    where, code = f"a default value of {f.__name__}", f.__code__
    for k, held in enumerate(f.__defaults__ or ()):
        name = code.co_varnames[code.co_argcount - len(f.__defaults__ or ()) + k]
        yield Place(name, where, held, partial(_bind_default, f, k))
    for name, held in (f.__kwdefaults__ or {}).items():
        yield Place(name, where, held, partial(CHANGES.item, f.__kwdefaults__, name))


def _bind_default(f: types.FunctionType, k: int, value: Any) -> None:
    defaults = f.__defaults__ or ()
    CHANGES.defaults(f, (*defaults[:k], value, *defaults[k + 1 :]))


def _bind_argument(f: functools.partial[Any], k: int, value: Any) -> None:
    CHANGES.partial(f, (*f.args[:k], value, *f.args[k + 1 :]))


def _at_place(place: Place, names: list[str], seen: set[int]) -> Iterator[Place]:
    """Yield a value if it is data; what it reads if it is a function; what is named of it if it is a module."""
    value = place.value
    if isinstance(value, types.ModuleType):
        if is_users(getattr(value, "__file__", None) or "") and id(value) not in seen:
            seen.add(id(value))
            held = vars(value)
            for name in names:
                if name in held and not isinstance(held[name], types.ModuleType):
                    where = f"a global of {value.__name__}"
                    yield from _at_place(Place(name, where, held[name], partial(CHANGES.item, held, name)), names, seen)
    elif isinstance(value, (*SIMPLE, np.ndarray, dict, list, tuple)) or not callable(value):
        yield place
    elif isinstance(value, type):
        yield from (place for place in data_of_class(value) if place.name in names)
    else:
        yield from read_by(value, seen)


def data_of_class(cls: type) -> Iterator[Place]:
    """Yield the data among the attributes of a class of the user's, and of those of the user's that it derives from."""
    for kind in users_classes(cls):
        for name, value in list(vars(kind).items()):
            if is_data(name, value):
                bind = partial(CHANGES.attribute, kind, name)
                yield Place(name, f"an attribute of class {kind.__name__}", value, bind)


def _names(code: types.CodeType) -> list[str]:
    """The names that code reads, and code inside it, in order."""
    inner = (_names(held) for held in code.co_consts if isinstance(held, types.CodeType))
    return list(dict.fromkeys(chain(code.co_names, *inner)))
