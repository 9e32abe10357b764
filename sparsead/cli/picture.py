"""A picture of a pattern colored by groups, with the compressed matrix beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from coloring import ColoringResult

INK, PAPER, EDGE = "#1f2430", "#ffffff", "#c9cdd6"
LARGEST = 200  # rows and columns that a picture can show entry by entry
PAINTS = (  # after P. Tol, "Colour schemes" (2021): told apart with every kind of color vision
    *("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"),
    *("#ee7733", "#009988", "#332288", "#ddaa77", "#882255", "#99bb55"),
)


def draw(result: ColoringResult, title: str, path: Path) -> None:
    """Draw the pattern of a column or star coloring and its compressed matrix into an image file.

    Parameters
    ----------
    result : ColoringResult
        A coloring of the columns of a pattern with at most `LARGEST` rows and columns.
    title : str
        The heading.
    path : Path
        The file; its suffix chooses the format.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    m, n = result.pattern.shape
    k = result.num_colors
    letter = "H" if result.structure == "symmetric" else "J"
    rows, columns = result.pattern.rows, result.pattern.indices
    colors = result.column_colors
    assert colors is not None
    paint = palette(k)[colors[columns]]

    wide = max(n / m, 0.3) * 6.0
    narrow = max(k / m * 6.0, 1.7)
    figure, (left, right) = plt.subplots(
        1,
        2,
        figsize=(wide + narrow + 2.0, 7.4),
        width_ratios=[wide, narrow],
        layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12),
    )
    _cells(left, (m, n), rows, columns, paint)
    _cells(right, (m, k), rows, colors[columns], paint)
    left.set_title(f"{letter}: {n} columns, {result.pattern.nnz} nonzeros", loc="left", fontsize=11, color=INK)
    right.set_title(f"{letter} S: {k} columns", loc="left", fontsize=11, color=INK)
    left.set(xlabel="column", ylabel="row")
    right.set(xlabel="color", yticklabels=[])
    figure.suptitle(title, x=0.02, ha="left", fontsize=14, fontweight="bold", color=INK)
    figure.supxlabel(_caption(result), x=0.02, ha="left", fontsize=10, color=INK)
    figure.savefig(path, dpi=150, facecolor=PAPER)
    plt.close(figure)


def _caption(result: ColoringResult) -> str:
    if result.structure == "symmetric":
        reason = "Of every entry and its mirror image, one is alone of its color in its row."
    else:
        reason = "Columns of one color share no row, so one product with the matrix computes them all."
    bound = "which is optimal" if result.is_optimal else f"proven lower bound {result.lower_bound}"
    return f"{reason}\n{result.num_colors} products give the matrix, instead of {result.pattern.shape[1]}; {bound}."


def palette(k: int) -> np.ndarray:
    """Return `k` colors that neighbours can be told apart by, RGB, shape (k, 3)."""
    from matplotlib.colors import hsv_to_rgb, to_rgb

    if k <= len(PAINTS):
        return np.array([to_rgb(paint) for paint in PAINTS[:k]]).reshape(k, 3)
    at = np.arange(k)  # the golden angle spreads any number of hues
    return np.asarray(hsv_to_rgb(np.column_stack([at * 0.381966 % 1.0, 0.85 - 0.2 * (at % 2), 0.62 + 0.26 * (at % 2)])))


def _cells(axes: Any, shape: tuple[int, int], rows: np.ndarray, columns: np.ndarray, paint: np.ndarray) -> None:
    """Paint entries as cells, with hairlines between them where there is room."""
    image = np.ones((*shape, 3))
    image[rows, columns] = paint
    axes.imshow(image, interpolation="nearest", aspect="auto")
    if shape[0] <= 150:
        axes.set_yticks(np.arange(shape[0] + 1) - 0.5, minor=True)
        axes.set_xticks(np.arange(shape[1] + 1) - 0.5, minor=True)
        axes.grid(which="minor", color=PAPER, linewidth=0.5)
    for side in axes.spines.values():
        side.set_color(EDGE)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(which="minor", length=0)
    axes.tick_params(which="major", color=EDGE, labelcolor=INK, labelsize=9)
