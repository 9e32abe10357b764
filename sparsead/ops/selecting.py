"""Where a traced mask holds: places that are used to select, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import composite, rule_of, state
from sparsead.tracing.conversions import recorded, stack_objects, traced
from sparsead.tracing.decisions import active
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.selection import Places

HINT = "Use the mask itself: x[mask], y[mask] = 0, np.where(mask, a, b)."


def _places(condition: Any, what: str) -> Places:
    mask = traced(condition)
    if mask.ndim != 1:
        raise unsupported(f"{what} of a traced condition of {mask.ndim} axes", HINT)
    return Places(mask if mask.dtype == np.bool_ else np.not_equal(mask, 0.0))


def _decided(function: Any, condition: Any) -> Any:
    """Return the places where a condition holds if masks are decided like branches; else None."""
    decisions = active.get()
    if decisions is None or not decisions.masks:
        return None
    return function(recorded(np.not_equal(condition, 0.0)))


@composite(np.flatnonzero, lambda x: np.sum(x[0][np.flatnonzero(x[0] > 0.5)] ** 2))
def flatnonzero(a: Any) -> Any:
    """``np.flatnonzero`` of a condition of one axis, as an index."""
    places = _decided(np.flatnonzero, a)
    return places if places is not None else _places(a, "np.flatnonzero")


@composite(np.nonzero, lambda x: _zeroed(x[0].copy()))
def nonzero(a: Any) -> tuple[Any, ...]:
    """``np.nonzero`` of a condition of one axis, as an index."""
    places = _decided(np.nonzero, a)
    return places if places is not None else (_places(a, "np.nonzero"),)


def _zeroed(x: Any) -> Any:
    x[np.nonzero(x > 0.5)[0]] = 0.0
    return x


select = rule_of(np.where)


def where(*operands: Any) -> Any:
    """``np.where`` of one or of three arguments."""
    return nonzero(operands[0]) if len(operands) == 1 else select(*operands)


state(np.where, where)


@composite(
    np.lib.stride_tricks.sliding_window_view,
    lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1).sum(axis=-1),
    lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)) ** 2,
    family="movement",
)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """``np.lib.stride_tricks.sliding_window_view``."""
    array = stack_objects(x)
    array = array if isinstance(array, Positioned) else traced(array)
    view = np.lib.stride_tricks.sliding_window_view
    return array.moved(view(array.positions, window_shape, axis, writeable=writeable))
