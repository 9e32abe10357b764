"""Pictures of patterns; matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .pattern import SparsityPattern
    from .results import ColoringResult

#: Matrices with more rows or columns than this are drawn as the share of entries per bin.
MAX_BINS = 400
#: Hairlines separate the entries of matrices up to this size.
MAX_HAIRLINES = 150
INK, EDGE = "#1f2430", "#c9cdd6"
PAINTS = (  # after P. Tol, "Colour schemes" (2021): told apart with every kind of color vision
    *("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"),
    *("#ee7733", "#009988", "#332288", "#ddaa77", "#882255", "#99bb55"),
)


def spy(pattern: SparsityPattern, ax: Any = None) -> Any:
    """Draw a pattern; see `SparsityPattern.spy`."""
    ax = ax or _axes()
    return _image(ax, binned_counts(pattern) > 0, pattern.shape, cmap="Greys", vmin=0, vmax=1)


def spy_coloring(result: ColoringResult, axes: Any = None) -> Any:
    """Draw the matrix with every entry in the color of its group, and the compressed matrices beside and below it.

    Parameters
    ----------
    result : ColoringResult
        What to draw.
    axes : sequence of matplotlib axes, optional
        One for the matrix and one for each compressed matrix; a new figure, with a caption, by default.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    plan, (m, n) = result.plan, result.pattern.shape
    new = axes is None
    axes = _axes_of(result) if new else axes
    of_column = plan.color >= 0
    color = np.where(of_column, plan.color, ~plan.color)
    paint = _palette(result.num_colors)[np.where(of_column, color, color + result.num_column_colors)]
    rows, columns = result.pattern.rows, result.pattern.indices
    parts = [(rows, columns, paint, (m, n), f"{m:,} x {n:,}, {result.pattern.nnz:,} entries")]
    if result.column_colors is not None:
        k = result.num_column_colors
        parts.append(
            (
                plan.line[of_column],
                color[of_column],
                paint[of_column],
                (m, k),
                f"A S: {k} {'column' if k == 1 else 'columns'}",
            )
        )
    if result.row_colors is not None:
        k = result.num_row_colors
        parts.append(
            (
                color[~of_column],
                plan.line[~of_column],
                paint[~of_column],
                (k, n),
                f"Sᵀ A: {k} {'row' if k == 1 else 'rows'}",
            )
        )
    for ax, (i, j, paint, shape, title) in zip(axes, parts, strict=True):
        _image(ax, _colored(i, j, paint, shape), shape, aspect="auto")
        ax.set_title(title, loc="left", fontsize=11, color=INK)
    if new:
        axes[0].figure.supxlabel(_caption(result), x=0.02, ha="left", fontsize=10, color=INK)
    return axes[0].figure


def _axes_of(result: ColoringResult) -> list[Any]:
    """Make a figure: the matrix, beside it what products with it give, below it what products with the transpose do."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    m, n = (max(size, 1) for size in result.pattern.shape)
    width = min(max(6.0 * n / m, 3.0), 12.0)
    widths, heights = [width], [6.0]
    if result.column_colors is not None:
        widths.append(max(width * result.num_column_colors / n, 1.7))
    if result.row_colors is not None:
        heights.append(max(6.0 * result.num_row_colors / m, 1.2))
    size = (sum(widths) + 1.5, sum(heights) + 1.4)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12))
    grid = figure.add_gridspec(len(heights), len(widths), width_ratios=widths, height_ratios=heights)
    places = [(0, 0), (0, 1)][: len(widths)] + [(1, 0)] * (len(heights) - 1)
    return [figure.add_subplot(grid[place]) for place in places]


def _caption(result: ColoringResult) -> str:
    """Say why the colors are valid, and what they save."""
    if result.partition == "bidirectional":
        reason = "Every entry is alone of its color in its row, or in its column."
    elif result.structure == "symmetric":
        reason = "Of every entry and its mirror image, one is alone of its color in its row."
    else:
        names = ("Columns", "row", "matrix") if result.partition == "column" else ("Rows", "column", "transpose")
        reason = "{} of one color share no {}, so one product with the {} computes them all.".format(*names)
    if result.decompression == "substitution":
        reason = "Entries of one color in a row are told apart one after another, by substitution."
    bound = "optimal" if result.is_optimal else f"proven lower bound {result.lower_bound}"
    size = result.pattern.shape[0 if result.partition == "row" else 1]
    return f"{reason}\n{result.num_colors} passes instead of {size:,}; {bound}."


def binned_counts(pattern: SparsityPattern) -> np.ndarray:
    """Number of entries in each bin of a grid of at most 400 x 400 bins."""
    bins = [max(1, min(size, MAX_BINS)) for size in pattern.shape]
    counts = np.zeros(bins, np.int64)
    np.add.at(counts, (_bin(pattern.rows, pattern.shape[0]), _bin(pattern.indices, pattern.shape[1])), 1)
    return counts


def _bin(index: np.ndarray, size: int) -> np.ndarray:
    return index if size <= MAX_BINS else index.astype(np.int64) * MAX_BINS // size


def _colored(rows: Any, columns: Any, paint: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """RGBA image; where several entries fall into a bin, the last one shows."""
    bins = [max(1, min(size, MAX_BINS)) for size in shape]
    image = np.ones((*bins, 4))
    image[_bin(rows, shape[0]), _bin(columns, shape[1])] = paint
    return image


def _palette(num_colors: int) -> np.ndarray:
    """RGBA colors that differ between neighboring numbers, (num_colors, 4)."""
    from matplotlib.colors import hsv_to_rgb, to_rgba_array

    if num_colors <= len(PAINTS):
        return np.asarray(to_rgba_array(PAINTS))[:num_colors]
    at = np.arange(num_colors)  # steps of the golden angle around the hue circle
    hsv = np.stack([at * 0.618033988749895 % 1, np.full(at.size, 0.75), 0.65 + 0.15 * (at % 3)], axis=1)
    return np.concatenate([hsv_to_rgb(hsv), np.ones((at.size, 1))], axis=1)


def _image(ax: Any, image: np.ndarray, shape: tuple[int, int], aspect: str = "equal", **style: Any) -> Any:
    """Show an image whose pixels are entries (or bins), with hairlines between them where there is room."""
    m, n = (max(size, 1) for size in shape)
    ax.imshow(image, extent=(-0.5, n - 0.5, m - 0.5, -0.5), interpolation="nearest", aspect=aspect, **style)
    if max(image.shape[:2]) <= MAX_HAIRLINES:
        ax.set_xticks(np.arange(n + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(m + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=0.5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    for side in ax.spines.values():
        side.set_color(EDGE)
    ax.tick_params(which="minor", length=0)
    ax.tick_params(which="major", color=EDGE, labelcolor=INK, labelsize=9)
    return ax


def _axes() -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(6, 6), layout="constrained").subplots()
