"""The pictures of the report, as small SVG files whose text is text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.report import Dots, Lines

TOOLS = (  # in the order of their colors, the same in all pictures; the first is drawn thicker
    "sparsead", "sparsead, by passes", "by hand in numba", "CasADi SX", "CasADi MX", "asdex", "sparsejac", "f in NumPy",
    "SciPy, grouped differences",
)  # fmt: skip
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "sparsead", "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": "0.9", "legend.frameon": False,
}  # fmt: skip


def draw(part: Lines | Dots, folder: Path) -> Path:
    """Draw a picture into a folder, and return its file; the same data give the same file."""
    with matplotlib.rc_context(STYLE):
        figure = _lines(part) if isinstance(part, Lines) else _dots(part)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{part.file}.svg"
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
    return path


def _lines(part: Lines) -> Any:
    names = dict.fromkeys(name for lines in part.panels.values() for name in lines)
    known = [name for name in TOOLS if any(tool in names for tool in TOOLS)]
    colors = {name: f"C{k}" for k, name in enumerate(dict.fromkeys([*known, *names]))}
    figure, panels = plt.subplots(1, len(part.panels), figsize=(4.9 * len(part.panels), 3.8), squeeze=False)
    for axes, (label, lines) in zip(panels[0], part.panels.items(), strict=True):
        for name, points in lines.items():
            x, y = zip(*points, strict=True)
            width = 2.6 if name == TOOLS[0] else 1.3
            axes.loglog(x, y, "o-", color=colors[name], markersize=4, linewidth=width, label=name)
        axes.set_xlabel(part.x)
        axes.set_title(label, fontsize=10)
    for axes in panels[0]:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    handles = {line.get_label(): line for axes in panels[0] for line in axes.get_lines()}
    figure.tight_layout()
    figure.legend(
        handles.values(), handles.keys(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2 * len(part.panels)
    )
    return figure


def _dots(part: Dots) -> Any:
    figure, axes = plt.subplots(figsize=(7.0, 1.0 + 0.34 * len(part.rows)))
    (first, bounds), *others = part.kinds.items()
    rows = range(len(part.rows))
    axes.plot(bounds, rows, "|", color="0.4", markersize=16, markeredgewidth=2, label=first)
    for k, (kind, values) in enumerate(others):  # one above the other, where they agree
        shifted = [row + 0.13 * (k - (len(others) - 1) / 2) for row in rows]
        axes.plot(values, shifted, "o", color=f"C{k}", markersize=5, label=kind)
    axes.set_yticks(rows, part.rows)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_xlabel(part.x)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
