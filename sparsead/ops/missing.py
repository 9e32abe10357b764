"""Reductions that leave NaN out. An element that is NaN counts for nothing, so its derivative is zero."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.ops.elementwise import add, multiply
from sparsead.ops.folding import fold, running
from sparsead.ops.reduction import mean, squared_distance
from sparsead.ops.reduction import sum as add_up
from sparsead.ops.registry import Sample, composite
from sparsead.tracing.conversions import traced


def _gaps(x: Any) -> Any:
    """Return some values with gaps, for the samples."""
    out = x * x
    out[[0, 2, 2], [1, 0, 3]] = np.nan
    return out


def filling(func: Callable[..., Any], filled: float, plain: Callable[..., Any], *samples: Sample) -> None:
    """State that `func` is `plain` of the values with `filled` in place of NaN."""

    def definition(a: Any, **kwargs: Any) -> Any:
        a = traced(a)
        return plain(np.where(np.isnan(a), filled, a), **kwargs)

    vars(definition)["__signature__"] = inspect.signature(plain)  # the same arguments
    composite(func, *samples, family="reduction")(definition)


filling(np.nansum, 0.0, add_up, lambda x: np.nansum(_gaps(x)), lambda x: np.nansum(_gaps(x), axis=0))
filling(np.nanprod, 1.0, fold(np.multiply, 1.0), lambda x: np.nanprod(_gaps(x)), lambda x: np.nanprod(_gaps(x), axis=1))
filling(np.nancumsum, 0.0, running(add), lambda x: np.nancumsum(_gaps(x), axis=1))
filling(np.nancumprod, 1.0, running(multiply), lambda x: np.nancumprod(_gaps(x), axis=1))


def _present(a: Any, where: Any) -> Any:
    """Return which elements count (at every call: it depends on the values)."""
    present = np.logical_not(np.isnan(a))
    return present if where is True else np.logical_and(present, where)


@composite(
    np.nanmean, lambda x: np.nanmean(_gaps(x)), lambda x: np.nanmean(_gaps(x), axis=1, keepdims=True),
    family="reduction",
)  # fmt: skip
def nanmean(a: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    """``np.nanmean``."""
    return mean(a, axis, keepdims, _present(traced(a), where))


@composite(np.nanvar, lambda x: np.nanvar(_gaps(x)), lambda x: np.nanvar(_gaps(x), axis=1, ddof=1), family="reduction")
def nanvar(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
           correction: Any = None) -> Any:  # fmt: skip
    """``np.nanvar``: the mean squared distance from the mean of what is there."""
    present = _present(traced(a), where)
    squares, freedom = squared_distance(add_up, a, axis, ddof, keepdims, present, mean, correction)
    return np.where(np.greater(freedom, 0.0), squares / freedom, np.nan)


@composite(np.nanstd, lambda x: np.nanstd(_gaps(x), axis=1), family="reduction")
def nanstd(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
           correction: Any = None) -> Any:  # fmt: skip
    """``np.nanstd``."""
    return np.sqrt(nanvar(a, axis, ddof, keepdims, where=where, mean=mean, correction=correction))
