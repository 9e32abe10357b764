"""Pictures of patterns; matplotlib is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..words import dimensions, several
from .binning import binned_counts, bins_of, counted_in, shade
from .palette import PALETTE
from .protocols import Colored, Entries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Matrices with more rows or columns than this are drawn as the number of entries per bin.
MAX_BINS = 400
#: Hairlines separate the entries of matrices up to this size.
MAX_HAIRLINES = 150
INK, EDGE = "#1f2430", "#c9cdd6"


def spy(pattern: Entries, ax: Any = None) -> Axes:
    """Draw a pattern; see `coloring.SparsityPattern.spy`."""
    _require_matplotlib()
    ax = ax or _axes()
    return _image(ax, _inked(binned_counts(pattern, MAX_BINS)), pattern.shape)


def _require_matplotlib() -> None:
    """Say what to install where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        message = "pictures need the package matplotlib, which is not installed: pip install 'sparsead[plot]'"
        raise ModuleNotFoundError(message, name="matplotlib") from error


def spy_coloring(result: Colored, axes: Any = None) -> Figure:
    """Draw the matrix with every entry in the color of its group, and the compressed matrices beside and below it.

    Parameters
    ----------
    result : Colored
        What to draw.
    axes : sequence of matplotlib axes, optional
        One for the matrix and one for each compressed matrix; a new figure, with a caption, by default.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    _require_matplotlib()
    new = axes is None
    axes = _axes_of(result) if new else axes
    for ax, (image, shape, title) in zip(axes, _panels(result), strict=True):
        _image(ax, image, shape, aspect="auto")
        ax.set_title(title, loc="left", fontsize=11, color=INK)
    if new:
        axes[0].figure.supxlabel(_caption(result), x=0.02, ha="left", fontsize=10, color=INK)
    return axes[0].figure


def _panels(result: Colored) -> Iterator[tuple[np.ndarray, tuple[int, int], str]]:
    """Yield image, shape and title of the matrix and of the compressed ones."""
    plan, pattern, (m, n) = result.plan, result.pattern, result.pattern.shape
    palette, k = _palette(result.num_colors), result.num_column_colors
    words = f"{dimensions((m, n))}, {several(pattern.nnz, 'entry')}"
    of_column = plan.color >= 0
    if max(m, n) > MAX_BINS:  # columns of many colors share a pixel
        yield _inked(binned_counts(pattern, MAX_BINS)), (m, n), f"{words}; darker where there are more"
    else:
        paint = palette[np.where(of_column, plan.color, ~plan.color + k)]
        yield _painted(pattern.rows, pattern.indices, paint, (m, n)), (m, n), words
    if result.column_colors is not None:
        title = f"A S: {k} {'column' if k == 1 else 'columns'}"
        counts = counted_in(plan.line[of_column], plan.color[of_column], (m, k), MAX_BINS)
        yield _tinted(counts, palette[_middle(k)][None, :]), (m, k), title
    if result.row_colors is not None:
        rows = result.num_row_colors
        title = f"Sᵀ A: {rows} {'row' if rows == 1 else 'rows'}"
        counts = counted_in(~plan.color[~of_column], plan.line[~of_column], (rows, n), MAX_BINS)
        yield _tinted(counts, palette[k + _middle(rows)][:, None]), (rows, n), title


def _middle(size: int) -> np.ndarray:
    """Return which of `size` colors stands for each bin: its own up to `MAX_BINS`."""
    bins = bins_of((size, size), MAX_BINS)[0]
    return np.arange(bins) * max(size, 1) // bins if size else np.zeros(0, np.int64)


def _axes_of(result: Colored) -> list[Any]:
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


def _caption(result: Colored) -> str:
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
    lines = result.pattern.shape[0 if result.partition == "row" else 1]
    return f"{reason}\n{several(result.num_colors, 'pass')} instead of {lines:,}; {bound}."


def _inked(counts: np.ndarray) -> np.ndarray:
    """Return the image of counts: white where there is nothing, then darker, RGBA."""
    from matplotlib.colors import to_rgba

    return _tinted(counts, np.array(to_rgba(INK))[None, None])


def _tinted(counts: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """Return the image of counts in given colors (RGBA, broadcast to the bins), paler where there are fewer."""
    if not paint.size:
        return np.ones((*counts.shape, 4))
    return 1.0 - shade(counts)[..., None] * (1.0 - paint)


def _painted(rows: np.ndarray, columns: np.ndarray, paint: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the image of a matrix whose entries have colors of their own, RGBA."""
    image = np.ones((*bins_of(shape, MAX_BINS), 4))
    image[rows, columns] = paint
    return image


def _palette(num_colors: int) -> np.ndarray:
    """RGBA colors that differ between neighboring numbers, (num_colors, 4)."""
    from matplotlib.colors import hsv_to_rgb, to_rgba_array

    if num_colors <= len(PALETTE):
        return np.asarray(to_rgba_array(PALETTE))[:num_colors]
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
