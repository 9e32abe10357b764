"""Rules of single matrices, called with stacks of them: for one matrix after the other, as scipy.linalg does."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sparsead.program.index import Shape
from sparsead.tracing.conversions import stack_objects

Axes = int | tuple["Axes", ...]  # how many axes an array has by itself, at most; of a tuple, those of its items


def over_stacks(**axes: Axes) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """State how many axes the arrays of a rule have by themselves; those before count what is stacked.

    The stacks are broadcast, and so is what the rule returns stacked: several results in a list, as SciPy has it.
    """

    def decorate(rule: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(rule)

        @functools.wraps(rule)
        def call(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            arrays = {name: _as_array(bound.arguments[name], a) for name, a in axes.items() if name in bound.arguments}
            stack = np.broadcast_shapes(*(s for name, array in arrays.items() for s in _stacks(array, axes[name])))
            if not stack:
                return rule(*args, **kwargs)
            if math.prod(stack) == 0:
                raise ValueError(f"`{rule.__name__}` does not support zero-size batches.")
            results = []
            for index in np.ndindex(stack):
                bound.arguments |= {name: _taken(array, axes[name], stack, index) for name, array in arrays.items()}
                results.append(rule(*bound.args, **bound.kwargs))
            if not isinstance(results[0], tuple):
                return _stacked(results, stack)
            return [_stacked(parts, stack) for parts in zip(*results, strict=True)]

        return call

    return decorate


def _as_array(value: Any, axes: Axes) -> Any:
    """Return an argument as an array, or as a tuple of them."""
    if isinstance(axes, tuple):
        return tuple(map(_as_array, value, axes))
    return value if value is None else stack_objects(value)


def _stacks(value: Any, axes: Axes) -> Iterator[Shape]:
    """Yield the shapes of the stacks in an argument."""
    if isinstance(axes, tuple):
        for item, own in zip(value, axes, strict=True):
            yield from _stacks(item, own)
    else:
        yield np.shape(value)[: max(0, np.ndim(value) - axes)]


def _taken(value: Any, axes: Axes, stack: Shape, index: tuple[int, ...]) -> Any:
    """Return what of an argument belongs to one place in the stack."""
    if isinstance(axes, tuple):
        return tuple(_taken(item, own, stack, index) for item, own in zip(value, axes, strict=True))
    if value is None:
        return None
    own = np.shape(value)[max(0, np.ndim(value) - axes) :]
    return np.broadcast_to(value, (*stack, *own))[index]


def _stacked(parts: Any, stack: Shape) -> Any:
    whole = np.stack([stack_objects(part) for part in parts])
    return np.reshape(whole, (*stack, *whole.shape[1:]))
