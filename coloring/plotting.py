"""Pictures of patterns; matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .pattern import SparsityPattern
    from .results import ColoringResult

#: Matrices with more rows or columns than this are drawn as the share of entries per bin.
MAX_BINS = 400


def spy(pattern: SparsityPattern, ax: Any = None) -> Any:
    """Draw a pattern; see `SparsityPattern.spy`."""
    ax = ax or _axes()
    return _image(ax, binned_counts(pattern) > 0, pattern.shape, cmap="Greys", vmin=0, vmax=1)


def spy_coloring(result: ColoringResult, axes: Any = None) -> Any:
    """Draw the matrix with every entry in the color of its group, and the compressed matrices beside it.

    Parameters
    ----------
    result : ColoringResult
        What to draw.
    axes : sequence of matplotlib axes, optional
        One for the matrix and one for each compressed matrix; a new figure by default.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    pattern, plan = result.pattern, result.plan
    (m, n), sides = pattern.shape, []
    if result.column_colors is not None:
        sides.append(("B = A S", (m, result.num_column_colors)))
    if result.row_colors is not None:
        sides.append(("B = Sᵀ A", (result.num_row_colors, n)))
    axes = _row_of_axes(1 + len(sides)) if axes is None else axes
    group = np.where(plan.color >= 0, plan.color, ~plan.color + result.num_column_colors)
    palette = _palette(result.num_colors)
    _image(axes[0], _colored(pattern.rows, pattern.indices, group, pattern.shape, palette), pattern.shape)
    axes[0].set_title(f"{m} x {n}, {pattern.nnz} entries")
    for ax, (title, shape) in zip(axes[1:], sides, strict=True):
        of_columns = shape[0] == m and title.startswith("B = A")
        here = plan.color >= 0 if of_columns else plan.color < 0
        line, color = plan.line[here], np.where(plan.color >= 0, plan.color, ~plan.color)[here]
        rows, columns = (line, color) if of_columns else (color, line)
        _image(ax, _colored(rows, columns, group[here], shape, palette), shape, aspect="auto")
        ax.set_title(f"{title}: {shape[1] if of_columns else shape[0]} passes")
    return axes[0].figure


def binned_counts(pattern: SparsityPattern) -> np.ndarray:
    """Number of entries in each bin of a grid of at most 400 x 400 bins."""
    bins = [max(1, min(size, MAX_BINS)) for size in pattern.shape]
    counts = np.zeros(bins, np.int64)
    np.add.at(counts, (_bin(pattern.rows, pattern.shape[0]), _bin(pattern.indices, pattern.shape[1])), 1)
    return counts


def _bin(index: np.ndarray, size: int) -> np.ndarray:
    return index if size <= MAX_BINS else index.astype(np.int64) * MAX_BINS // size


def _colored(rows: Any, columns: Any, group: Any, shape: tuple[int, int], palette: Any) -> np.ndarray:
    """RGBA image; where several entries fall into a bin, the last one shows."""
    bins = [max(1, min(size, MAX_BINS)) for size in shape]
    image = np.ones((*bins, 4))
    image[_bin(rows, shape[0]), _bin(columns, shape[1])] = palette[group]
    return image


def _palette(num_colors: int) -> np.ndarray:
    """Colors that differ between neighboring numbers: steps of the golden angle around the hue circle."""
    from matplotlib.colors import hsv_to_rgb

    hue = np.arange(max(num_colors, 1)) * 0.618033988749895 % 1
    lightness = 0.65 + 0.3 * (np.arange(hue.size) % 3) / 2
    rgb = hsv_to_rgb(np.stack([hue, np.full(hue.size, 0.75), lightness], axis=1))
    return np.concatenate([rgb, np.ones((hue.size, 1))], axis=1)


def _image(ax: Any, image: np.ndarray, shape: tuple[int, int], aspect: str = "equal", **style: Any) -> Any:
    m, n = (max(size, 1) for size in shape)
    ax.imshow(image, extent=(-0.5, n - 0.5, m - 0.5, -0.5), interpolation="nearest", aspect=aspect, **style)
    ax.xaxis.tick_top()
    return ax


def _axes() -> Any:
    return _row_of_axes(1)[0]


def _row_of_axes(count: int) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * count, 4), layout="constrained")
    return figure.subplots(1, count, squeeze=False)[0]
