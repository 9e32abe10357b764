"""Reductions that leave NaN out. An element that is NaN counts for nothing, so its derivative is zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.ops.elementwise import add, multiply
from sparsead.ops.folding import running
from sparsead.ops.reduction import sum as add_up
from sparsead.ops.registry import Sample, composite, traced


def _gaps(x: Any) -> Any:
    """Return some values with gaps, for the samples."""
    out = x * x
    out[[0, 2, 2], [1, 0, 3]] = np.nan
    return out


def filling(func: Callable[..., Any], filled: float, plain: Callable[..., Any], *samples: Sample) -> None:
    """State that `func` is `plain` of the values with `filled` in place of NaN."""

    def definition(a: Any, *args: Any, **kwargs: Any) -> Any:
        a = traced(a)
        return plain(np.where(np.isnan(a), filled, a), *args, **kwargs)

    composite(func, *samples, family="reduction")(definition)


filling(np.nansum, 0.0, add_up, lambda x: np.nansum(_gaps(x)), lambda x: np.nansum(_gaps(x), axis=0))
filling(np.nanprod, 1.0, np.prod, lambda x: np.nanprod(_gaps(x)), lambda x: np.nanprod(_gaps(x), axis=1))
filling(np.nancumsum, 0.0, running(add), lambda x: np.nancumsum(_gaps(x), axis=1))
filling(np.nancumprod, 1.0, running(multiply), lambda x: np.nancumprod(_gaps(x), axis=1))


def _present(a: Any, axis: Any, keepdims: bool) -> Any:
    """Return how many elements are no NaN (at every call: it depends on the values)."""
    return np.sum(np.where(np.isnan(a), 0.0, 1.0), axis=axis, keepdims=keepdims)


@composite(
    np.nanmean, lambda x: np.nanmean(_gaps(x)), lambda x: np.nanmean(_gaps(x), axis=1, keepdims=True),
    family="reduction",
)  # fmt: skip
def nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """``np.nanmean``."""
    return np.nansum(a, axis=axis, keepdims=keepdims) / _present(a, axis, keepdims)


@composite(np.nanvar, lambda x: np.nanvar(_gaps(x)), lambda x: np.nanvar(_gaps(x), axis=1, ddof=1), family="reduction")
def nanvar(a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """``np.nanvar``: the mean squared distance from the mean of what is there."""
    squares = np.square(a - nanmean(a, axis=axis, keepdims=True))
    return np.nansum(squares, axis=axis, keepdims=keepdims) / (_present(a, axis, keepdims) - ddof)


@composite(np.nanstd, lambda x: np.nanstd(_gaps(x), axis=1), family="reduction")
def nanstd(a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """``np.nanstd``."""
    return np.sqrt(nanvar(a, axis=axis, ddof=ddof, keepdims=keepdims))
