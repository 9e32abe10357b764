"""The entry point: a problem and an order in, a coloring out."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernels
from .errors import ColoringError
from .orders import order_named
from .pattern import SparsityPattern, as_pattern
from .results import ColoringResult


def color(
    A: Any,
    structure: str = "nonsymmetric",
    partition: str = "column",
    decompression: str = "direct",
    order: str = "auto",
) -> ColoringResult:
    """Color the columns or rows of `A` so that the members of a color share no row or column."""
    if (structure, decompression) != ("nonsymmetric", "direct") or partition not in ("column", "row"):
        raise ColoringError(f"no algorithm yet for {structure}, {partition}, {decompression}")
    pattern = as_pattern(A)
    by_column = pattern if partition == "column" else pattern.T
    bound = int(np.diff(by_column.indptr).max(initial=0))
    best: np.ndarray | None = None
    used = ""
    for name in ("natural", "largest_first", "smallest_last") if order == "auto" else (order,):
        colors = _greedy(by_column, name)
        if best is None or colors.max(initial=-1) < best.max(initial=-1):
            best, used = colors, name
        if best.max(initial=-1) < bound:
            break
    return ColoringResult(pattern, best, partition, used, bound)


def _greedy(A: SparsityPattern, order: str) -> np.ndarray:
    columns = A.T
    return kernels.distance2.color_columns(columns.indptr, columns.indices, A.shape[0], order_named(order)(A))
