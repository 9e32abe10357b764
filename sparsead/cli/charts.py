"""Charts of what ``sparsead bench`` measured: passes against the bound, stages, evaluations against the function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from coloring.pictures.figures import EDGE, INK, PALETTE
from sparsead.measuring.findings import Measured

ROW = 0.24  # inches
QUIET = "#9aa1b1"


def draw(found: list[Measured], folder: Path) -> list[Path]:
    """Write the charts that there is something to show in; return their files."""
    timed = [one for one in found if one.f is not None]
    charts: dict[str, tuple[Callable[[list[Measured]], Figure], list[Measured]]] = {
        "passes.png": (passes, [one for one in found if one.counts]),
        "stages.png": (stages, [one for one in timed if one.stages]),
        "evaluations.png": (evaluations, timed),
    }
    written = []
    for file, (chart, shown) in charts.items():
        if shown:
            chart(shown).savefig(folder / file, dpi=150)
            written.append(folder / file)
    return written


def passes(found: list[Measured]) -> Figure:
    """For each matrix and mode the span of all orders, what "auto" takes, and the proven lower bound."""
    rows = [(one, mode) for one in found for mode in one.modes]
    labels = [(f"{one.name},  " if mode == one.modes[0] else "") + mode for one, mode in rows]
    figure, ax = _chart("Passes by mode, over all orders", labels, [len(one.modes) for one in found])
    for y, (one, mode) in enumerate(rows):
        counts = {c.order: c.passes for c in one.counts if c.mode == mode}
        ax.plot([min(counts.values()), max(counts.values())], [y, y], color=QUIET, lw=2, solid_capstyle="round")
        ax.plot(one.bound(mode), y, "|", color=PALETTE[1], ms=11, mew=2)
        ax.plot(counts.get("auto", min(counts.values())), y, "o", color=PALETTE[0], ms=6)
    for marker, color, name in (
        ("o", PALETTE[0], "auto"),
        ("|", PALETTE[1], "lower bound"),
        ("_", QUIET, "all orders"),
    ):
        ax.plot([], [], marker, color=color, ms=8, mew=2, label=name)
    return _finished(figure, ax, "passes")


def stages(found: list[Measured]) -> Figure:
    """Seconds of the stages, one after another."""
    names = list(dict.fromkeys(name for one in found for name in one.stages))
    figure, ax = _chart("Time to prepare, by stage", [f"{one.name}, n = {one.n:,}" for one in found], [])
    left = np.zeros(len(found))
    for name, paint in zip(names, PALETTE, strict=False):
        seconds = np.array([one.stages.get(name, 0.0) for one in found])
        ax.barh(range(len(found)), seconds, left=left, height=0.62, color=paint, label=name)
        left += seconds
    return _finished(figure, ax, "seconds", log=False)


def evaluations(found: list[Measured]) -> Figure:
    """Evaluations of the matrix, each relative to one of the function in NumPy."""
    names = list(dict.fromkeys(name for one in found for name in one.evaluations))
    figure, ax = _chart("One matrix against one evaluation of f", [f"{one.name}, n = {one.n:,}" for one in found], [])
    ax.axvline(1.0, color=INK, lw=1)
    for name, paint in zip(names, PALETTE, strict=False):
        places = [(e.of_f, y) for y, one in enumerate(found) if (e := one.evaluations.get(name)) and e.of_f]
        if places:
            ax.plot(*zip(*places, strict=True), "o", color=paint, ms=7, label=name)
    return _finished(figure, ax, "times one evaluation of f in NumPy")


def _chart(title: str, labels: list[str], groups: list[int]) -> tuple[Figure, Any]:
    """Make axes with a row for each label, the first on top, and hairlines between groups of rows."""
    figure = Figure(figsize=(8.5, 1.6 + ROW * max(len(labels), 3)), layout="constrained")
    ax = figure.subplots()
    ax.set_title(title, loc="left", fontsize=13, fontweight="bold", color=INK)
    ax.set_yticks(range(len(labels)), labels, fontsize=9, color=INK)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    for end in np.cumsum(groups)[:-1]:
        ax.axhline(end - 0.5, color=EDGE, lw=0.6)
    return figure, ax


def _finished(figure: Figure, ax: Any, quantity: str, log: bool = True) -> Figure:
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "235" else ""))
    ax.set_xlabel(quantity, color=INK)
    ax.grid(axis="x", which="both", color=EDGE, lw=0.4)
    ax.set_axisbelow(True)
    for side in ax.spines.values():
        side.set_color(EDGE)
    ax.tick_params(which="both", color=EDGE, labelcolor=INK, labelsize=9, pad=4, length=3)
    figure.legend(loc="outside lower center", ncols=6, frameon=False, labelcolor=INK, fontsize=9)
    return figure
