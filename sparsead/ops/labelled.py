"""What pandas computes of columns that hold unknowns: its sums and means, and products with an unknown number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.ops.arrays import any_traced
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.known import on_values
from sparsead.tracing.replacing.names import patch_later

NANOPS = "pandas.core.nanops"
#: By the names in pandas: with missing values left out, and with them.
REDUCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "nansum": (np.nansum, np.sum), "nanmean": (np.nanmean, np.mean), "nanprod": (np.nanprod, np.prod),
    "nanmin": (np.nanmin, np.min), "nanmax": (np.nanmax, np.max),
    "nanvar": (np.nanvar, np.var), "nanstd": (np.nanstd, np.std),
}  # fmt: skip


def _reduced(name: str) -> Callable[..., Any]:
    without_missing, with_missing = REDUCTIONS[name]

    def reduce(original: Any, values: Any, *, axis: Any = None, skipna: bool = True, **options: Any) -> Any:
        if not any_traced([values]):
            return on_values(original, (values,), {"axis": axis, "skipna": skipna, **options})
        settings = {"ddof": options.get("ddof", 1)} if name in ("nanvar", "nanstd") else {}
        return (without_missing if skipna else with_missing)(values, axis=axis, **settings)

    return reduce


def _number(original: Any, obj: Any, shape: Any) -> Any:
    """Prepare a number for an operation with a column: an unknown one is an array of shape ()."""
    return stack_objects(obj) if any_traced([obj]) else original(obj, shape)


for _name in REDUCTIONS:
    patch_later(NANOPS, _name, _reduced(_name))
patch_later("pandas.core.ops.array_ops", "maybe_prepare_scalar_for_op", _number)
