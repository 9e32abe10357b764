"""Python's `max`, `min`, `sorted`, `any` and `all` of traced numbers: choices by value, as `np.where` makes them.

These functions have no hook: they ask what they compare for a truth value. So the modules of the traced function get
names of their own for them for the time being, which choose where Python would branch: of equal numbers the first one
is taken, and a number that is not comparable (NaN) stays where it is, as in Python.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from sparsead.ops.arrays import any_traced
from sparsead.ops.ordering import LONGEST, network
from sparsead.tracing.array import TracedArray
from sparsead.tracing.calls import as_numbers
from sparsead.tracing.decisions import active
from sparsead.tracing.replacing.names import NAMES
from sparsead.tracing.replacing.standins import StandIn
from sparsead.tracing.scalar import TracedScalar, is_number
from sparsead.tracing.sequences import rebuilt

LONG = 16  # numbers beyond which np.fmax and np.fmin are used, a loop where choices are one formula


def _is_real(value: Any) -> bool:
    """Tell whether a value is one number, traced or not."""
    return is_number(value) or type(value) is TracedScalar or (type(value) is TracedArray and value.ndim == 0)


def _alike(first: Any, second: Any) -> bool:
    """Tell whether a choice between two values is a value of the same kind: numbers, arrays of one shape, tuples."""
    if isinstance(first, (tuple, list)):
        same = type(first) is type(second) and len(first) == len(second) and not hasattr(first, "_fields")
        return same and all(map(_alike, first, second))
    if _is_real(first) or _is_real(second):
        return _is_real(first) and _is_real(second)
    arrays = (TracedArray, np.ndarray)
    return isinstance(first, arrays) and isinstance(second, arrays) and np.shape(first) == np.shape(second)


def _choosable(items: list[Any], key: Any) -> bool:
    """Tell whether items are such that a choice by unknown keys gives one; where branches are recorded, counts not."""
    if not all(_alike(items[0], item) for item in items):
        return False
    counts = (type(item) is int or isinstance(item, np.integer) for item in items)
    return key is None or active.get() is None or not any(counts)


def _choice(condition: Any, first: Any, second: Any) -> Any:
    """Return `first` where the condition holds, else `second`."""
    if first is second:
        return first
    if isinstance(first, (tuple, list)):
        return rebuilt(first, (_choice(condition, a, b) for a, b in zip(first, second, strict=True)))
    return as_numbers(np.where(condition, first, second))


def _extreme(original: Callable[..., Any], beats: Callable[[Any, Any], Any], whole: np.ufunc) -> Any:
    """Return `max` or `min` for traced numbers: each item in turn beats the best so far, or does not."""

    def extreme(*args: Any, key: Any = None, **default: Any) -> Any:
        if len(args) == 2 and type(args[0]) is type(args[1]) is int and key is None:  # the ends of loops
            return original(*args, **default)
        if len(args) != 1:
            items = list(args)
        elif isinstance(args[0], Iterable):
            items = list(args[0])
        else:
            return original(*args, key=key, **default)
        keys = items if key is None else [key(item) for item in items]
        if len(args) == 0 or not any_traced(keys) or not all(map(_is_real, keys)) or not _choosable(items, key):
            return original(*(args if len(args) != 1 else [items]), key=key, **default)
        if key is None and len(items) > LONG:
            first, rest = items[0], whole.reduce(np.stack(items))
            return as_numbers(np.where(np.isnan(first), first, rest))  # NaN stays only where it comes first
        best, best_key = items[0], keys[0]
        for item, its_key in zip(items[1:], keys[1:], strict=True):
            better = beats(its_key, best_key)
            best = _choice(better, item, best)
            best_key = best if key is None else _choice(better, its_key, best_key)
        return best

    return StandIn(original, extreme)


def _sorted(iterable: Any, /, *, key: Any = None, reverse: Any = False) -> Any:
    """Same as the builtin; traced numbers by a fixed network of comparisons, equal ones staying in turn."""
    items = list(iterable)
    keys = items if key is None else [key(item) for item in items]
    traced = any_traced(keys) and all(map(_is_real, keys)) and _choosable(items, key)
    if not traced or len(items) > LONGEST:
        return builtins.sorted(items, key=key, reverse=reverse)
    rows = [[*map(float, range(len(items)))], [*keys], [*items]]
    for places, distance in network(len(items)):
        for i in places.tolist():
            _exchange(rows, i, i + distance, bool(reverse))
    return rows[2]


def _exchange(rows: list[list[Any]], i: int, j: int, reverse: bool) -> None:
    """Put two places in order, by their keys, and of equal keys by where they came from."""
    turns, keys, items = rows
    later = (keys[j] > keys[i]) if reverse else (keys[j] < keys[i])
    exchanged = np.logical_or(later, np.logical_and(keys[j] == keys[i], np.less(turns[j], turns[i])))
    for row in (turns, items) if keys is items else rows:
        row[i], row[j] = _choice(exchanged, row[j], row[i]), _choice(exchanged, row[i], row[j])


def _quantifier(original: Callable[..., Any], joined: Callable[..., Any], decisive: bool) -> Any:
    """Return `any` or `all` for traced conditions: one condition, of those up to the first plain one that decides."""

    def quantifier(iterable: Any, /) -> Any:
        found: Any = None
        for value in iterable:
            if not _is_real(value) or not any_traced(value):
                if builtins.bool(value) is decisive:
                    return decisive
                continue
            condition = as_numbers(value if value.dtype == np.bool_ else np.not_equal(value, 0.0))
            found = condition if found is None else joined(found, condition)
        return (not decisive) if found is None else found

    return StandIn(original, quantifier)


NAMES["max"] = _extreme(builtins.max, lambda a, b: a > b, np.fmax)
NAMES["min"] = _extreme(builtins.min, lambda a, b: a < b, np.fmin)
NAMES["sorted"] = StandIn(builtins.sorted, _sorted)
NAMES["any"] = _quantifier(builtins.any, np.logical_or, True)
NAMES["all"] = _quantifier(builtins.all, np.logical_and, False)
