"""Functions whose answer is an index or an order: where branches are recorded, the answer is one of them.

The answer is NumPy's for the example arguments, and what makes it the answer is the condition: it is looked at before
each evaluation, and where it fails the function is traced again, as for any other branch (``guard="record"``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import is_traced, known
from sparsead.ops.registry import REFUSED, spelling_of, state
from sparsead.tracing.conversions import traced
from sparsead.tracing.decisions import Decisions, active

INSTEAD = 'Prepare with guard="record", which records the answer like a branch; or use'


def answered(func: Callable[..., Any], because: str, instead: str, holds: Callable[..., Any]) -> None:
    """State a function whose answer is recorded; `holds` gives the condition, of the answer and the arguments."""
    reason = f"{because} {INSTEAD} {instead}"

    def rule(*args: Any, **kwargs: Any) -> Any:
        decisions = active.get()
        if decisions is None:
            raise unsupported(spelling_of(func), reason)
        values = {name: _example(decisions, value) for name, value in kwargs.items()}
        answer = func(*(_example(decisions, value) for value in args), **values)
        decisions.decide(traced(holds(answer, *args, **kwargs)).ref)
        return answer

    state(func, rule, ["a", "v", "x", "bins", "axis", "side", "right", "keepdims", "kind", "stable"])
    REFUSED[spelling_of(func)] = reason


def _example(decisions: Decisions, value: Any) -> Any:
    return decisions.example(traced(value).ref) if is_traced(value) else known(value, "")


def _first_of_all(beats: Callable[..., Any], as_good: Callable[..., Any]) -> Callable[..., Any]:
    """Return the condition that the elements before the answer are beaten by it, and those behind it not better."""

    def holds(answer: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        lines: Any = traced(a)
        lines = np.reshape(lines, (-1, 1)) if axis is None else np.moveaxis(lines, axis, 0)
        lines = np.reshape(lines, (np.shape(lines)[0], -1))
        k = np.reshape(answer if axis is None or not keepdims else np.squeeze(answer, axis), -1)
        best = lines[k, np.arange(k.size)]
        before = np.arange(np.shape(lines)[0])[:, None] < k
        return np.all(np.where(before, beats(best, lines), as_good(best, lines)))

    return holds


def _in_order(answer: Any, a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    """Return the condition that the elements are in order; equal ones as they were."""
    lines, axis = (np.ravel(a), 0) if axis is None else (traced(a), axis)
    placed = np.moveaxis(np.take_along_axis(lines, answer, axis), axis, 0)
    order = np.moveaxis(answer, axis, 0)
    low, high = placed[:-1], placed[1:]
    return np.all(np.where(order[:-1] < order[1:], low <= high, low < high))


def _between(answer: Any, a: Any, v: Any, side: str = "left") -> Any:
    """Return the condition that the values belong where they were found, in an array in increasing order."""
    ends = np.concatenate([[-np.inf], traced(a), [np.inf]])
    low, high = ends[np.asarray(answer)], ends[np.asarray(answer) + 1]
    first = answer == 0
    last = answer == np.size(a)
    below = np.less(low, v) if side == "left" else np.less_equal(low, v)
    above = np.less_equal(v, high) if side == "left" else np.less(v, high)
    return np.all(np.logical_and(np.logical_or(below, first), np.logical_or(above, last)))


def _in_bin(answer: Any, x: Any, bins: Any, right: bool = False) -> Any:
    """Return the condition for ``np.digitize``, whose bins increase or decrease."""
    side = "left" if right else "right"
    bins = known(bins, "np.digitize with bins=") if not is_traced(bins) else bins
    if not is_traced(bins) and np.size(bins) > 1 and bins[0] > bins[-1]:
        return _between(np.size(bins) - answer, np.flip(bins), x, side)
    return _between(answer, bins, x, side)


INDEX = "The answer is an index that differs from call to call."
answered(np.argmax, INDEX, "np.max for the value itself.", _first_of_all(np.greater, np.greater_equal))
answered(np.argmin, INDEX, "np.min for the value itself.", _first_of_all(np.less, np.less_equal))
answered(
    np.argsort,
    "The order of the elements differs from call to call, and with it which element goes where.",
    "np.sort of short lines, np.max and np.min, or np.take with an order that is fixed.",
    _in_order,
)
answered(np.searchsorted, INDEX, "np.interp, or np.where(condition, a, b), for a look into a table.", _between)
answered(np.digitize, INDEX, "np.interp, or np.where(condition, a, b), for a look into a table.", _in_bin)
