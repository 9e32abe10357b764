"""What is bound to something else while a function is traced, and how all of it is undone."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import filterfalse
from typing import Any

_MISSING = object()


class Changes:
    """Names, attributes and classes of modules that were bound anew, the latest last."""

    def __init__(self) -> None:
        self._made: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def __len__(self) -> int:
        return len(self._made)

    def name(self, names: dict[str, Any], name: str, value: Any) -> None:
        """Bind one of the names of a module."""
        self._made.append((names.__setitem__, (name, names[name])))
        names[name] = value

    def item(self, items: Any, key: Any, value: Any) -> None:
        """Put something else into a dict or a list; what has been put there meanwhile stays."""
        self._made.append((_put_back, (items, key, items[key], value)))
        items[key] = value

    def added(self, names: dict[str, Any], values: dict[str, Any]) -> None:
        """Give a module names that it does not have."""
        new = tuple(filterfalse(names.__contains__, values))
        if new:  # hundreds of modules get all of them
            self._made.append((_without, (names, new)))
            names.update(values if len(new) == len(values) else {name: values[name] for name in new})

    def cell(self, cell: types.CellType, value: Any) -> None:
        """Fill the cell of a variable of an enclosing function; what it is set to meanwhile stays."""
        self._made.append((_refill, (cell, cell.cell_contents, value)))
        cell.cell_contents = value

    def defaults(self, f: types.FunctionType, values: tuple[Any, ...]) -> None:
        """Give a function other default arguments."""
        self._made.append((setattr, (f, "__defaults__", f.__defaults__)))
        f.__defaults__ = values

    def partial(self, f: functools.partial[Any], args: tuple[Any, ...]) -> None:
        """Bind other positional arguments."""
        anew: Any = f  # its methods for pickling are those that change it
        self._made.append((anew.__setstate__, (anew.__reduce__()[2],)))
        anew.__setstate__((f.func, args, f.keywords, vars(f)))

    def attribute(self, cls: type, name: str, value: Any) -> None:
        """Set an attribute of a class, which may have inherited it so far."""
        own = vars(cls).get(name, _MISSING)
        self._made.append((delattr, (cls, name)) if own is _MISSING else (setattr, (cls, name, own)))
        setattr(cls, name, value)

    def module(self, module: types.ModuleType, cls: type) -> None:
        """Give a module another class."""
        self._made.append((setattr, (module, "__class__", type(module))))
        module.__class__ = cls

    def undo(self) -> None:
        """Bind everything as it was."""
        while self._made:
            call, args = self._made.pop()
            call(*args)


def _without(names: dict[str, Any], added: Iterable[str]) -> None:
    for name in added:
        names.pop(name, None)


def _put_back(items: Any, key: Any, old: Any, new: Any) -> None:
    with suppress(LookupError):
        if items[key] is new:
            items[key] = old


def _refill(cell: types.CellType, old: Any, new: Any) -> None:
    if cell.cell_contents is new:
        cell.cell_contents = old


CHANGES = Changes()
