"""The pictures of the report, as small SVG files whose text is text."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from benchmarks.report import Bars, Lines

STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "sparsead", "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": "0.9", "legend.frameon": False,
}  # fmt: skip


def draw(part: Lines | Bars, folder: Path) -> Path:
    """Draw a picture into a folder, and return its file; the same data give the same file."""
    with matplotlib.rc_context(STYLE):
        figure = _lines(part) if isinstance(part, Lines) else _bars(part)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{part.file}.svg"
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
    return path


def _lines(part: Lines) -> Any:
    names = list(dict.fromkeys(name for lines in part.panels.values() for name in lines))
    colors = {name: f"C{k}" for k, name in enumerate(names)}
    figure, panels = plt.subplots(1, len(part.panels), figsize=(4.6 * len(part.panels), 3.8), squeeze=False)
    for axes, (label, lines) in zip(panels[0], part.panels.items(), strict=True):
        for name, points in lines.items():
            x, y = zip(*points, strict=True)
            axes.loglog(x, y, "o-", color=colors[name], markersize=4, label=name)
        axes.set_xlabel(part.x)
        axes.set_title(label, fontsize=10)
    for axes in panels[0]:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    handles = {line.get_label(): line for axes in panels[0] for line in axes.get_lines()}
    figure.tight_layout()
    figure.legend(handles.values(), handles.keys(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4)
    return figure


def _bars(part: Bars) -> Any:
    height = 0.8 / len(part.kinds)
    figure, axes = plt.subplots(figsize=(8.0, 0.8 + 0.16 * len(part.rows) * (len(part.kinds) + 1)))
    for k, (kind, values) in enumerate(part.kinds.items()):
        places = [row + k * height for row in range(len(part.rows))]
        drawn = [0.0 if math.isnan(value) else value for value in values]
        axes.barh(places, drawn, height, label=kind, color="0.6" if k == 0 else f"C{k - 1}")
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(part.rows))], part.rows)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.grid(False, axis="y")
    axes.set_xlabel(part.x)
    axes.legend()
    return figure
