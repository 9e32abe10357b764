"""Patterns as small drawings in HTML: a few kilobytes whatever the size of the matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .binning import binned_counts, bins_of, shade
from .palette import PALETTE
from .protocols import Colored, Entries

BINS = 48
PIXELS = 132  # of the longer side
LEVELS = 4  # of darkness


def thumbnail(pattern: Entries) -> str:
    """Return the pattern as an SVG element in the color of the text; of large matrices how full the bins are."""
    levels = np.ceil(LEVELS * shade(binned_counts(pattern, BINS))).astype(int)
    styles = [f"fill='currentColor' opacity='{(level + 1) / LEVELS:g}'" for level in range(LEVELS)]
    return _svg(levels, styles, pattern.shape)


def colored_thumbnail(result: Colored) -> str:
    """Return the pattern with every entry in the color of its group; without colors where those cannot be seen."""
    pattern, plan = result.pattern, result.plan
    if max(pattern.shape) > BINS or result.num_colors > len(PALETTE):
        return thumbnail(pattern)
    levels = np.zeros(bins_of(pattern.shape, BINS), int)
    color = np.where(plan.color >= 0, plan.color, ~plan.color + result.num_column_colors)
    levels[pattern.rows, pattern.indices] = color + 1
    return _svg(levels, [f"fill='{paint}'" for paint in PALETTE], pattern.shape)


def _svg(levels: np.ndarray, styles: Sequence[str], shape: tuple[int, int]) -> str:
    """Draw the cells of each level above 0 as one path."""
    rows, columns = levels.shape
    m, n = (max(size, 1) for size in shape)
    height, width = (max(round(PIXELS * size / max(m, n)), 24) for size in (m, n))
    paths = (
        f"<path {style} d='{_cells(levels == level)}'/>"
        for level, style in enumerate(styles, start=1)
        if (levels == level).any()
    )
    return (
        f"<svg viewBox='0 0 {columns} {rows}' width='{width}' height='{height}' preserveAspectRatio='none' "
        f"shape-rendering='crispEdges' style='border:1px solid rgba(128,128,128,.5)'>{''.join(paths)}</svg>"
    )


def _cells(mask: np.ndarray) -> str:
    """Return the path around the True cells, a rectangle for each run in a row."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, begin = np.nonzero(edges > 0)
    end = np.nonzero(edges < 0)[1]
    return "".join(f"M{b} {r}h{e - b}v1h{b - e}z" for r, b, e in zip(row, begin, end, strict=True))
