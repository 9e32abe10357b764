"""``sparsead demo``: the main job on a problem from the literature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import coloring
import sparsead as sad
from coloring import ColoringResult
from coloring.words import dimensions, several
from sparsead.cli.choices import choice
from sparsead.cli.files import NewFile, written
from sparsead.cli.progress import shown
from sparsead.cli.subjects import ProblemName, of_collection
from sparsead.derivatives.colorings import HESSIAN_MODES, JACOBIAN_MODES
from sparsead.derivatives.matrix import PreparedMatrix
from sparsead.measuring.reference import (
    difference_along,
    difference_of_curvature,
    difference_of_entries,
    finite_differences,
)
from sparsead.measuring.timing import Times, interleaved
from sparsead.problems import PROBLEMS, SIZES, Problem

LEGIBLE = 200  # rows and columns that a picture can show entry by entry
STRUCTURES = {"jacobian": "nonsymmetric", "hessian": "symmetric"}
BY_PASSES = {"jacobian": "forward", "hessian": "star"}


@click.command(epilog=f"Problems: {', '.join(PROBLEMS)}.")
@click.argument("problem", type=ProblemName(), default="brusselator", metavar="[PROBLEM]")
@click.option("--size", "-N", type=click.IntRange(min=1), help="Grid points along a side, or variables of a chain.")
@choice("--mode", "mode", dict.fromkeys([*JACOBIAN_MODES, *HESSIAN_MODES]), "How it is evaluated", default="auto")
@click.option("--plot", type=NewFile(), help="The picture's file [PROBLEM.png].")
@click.option("--no-plot", is_flag=True, help="Draw no picture.")
def demo(problem: str, size: int | None, mode: str, plot: Path | None, no_plot: bool) -> None:
    """Run the main job on a problem from the literature.

    A plain NumPy function goes in; its sparse Jacobian (rosenbrock, minimal-surface: Hessian) comes out, is timed
    beside the alternatives, and compared with complex steps of the plain function.
    """
    path = plot or Path(f"{problem}.png")
    console = Console(highlight=False)
    chosen = of_collection(problem, SIZES[problem].demo if size is None else size)
    console.print(f"[bold]{chosen.title}[/]\n[dim]{chosen.reference}[/]\n")
    with shown(console):
        prepared = _prepare(chosen, mode)
    colored = prepared.coloring or coloring.color(prepared.pattern, structure=STRUCTURES[chosen.derivative])
    console.print(pattern_table(prepared, colored))
    console.print(times_table(measure(chosen, prepared, colored)))
    console.print(check_table(chosen, prepared))
    if not no_plot:
        picture(console, chosen, colored, path)


def _prepare(problem: Problem, mode: str, **options: Any) -> Any:
    prepare = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    try:
        return prepare(problem.f, problem.x0, *problem.args, mode=mode, **options)
    except (sad.InputError, sad.UnsupportedOperationError) as error:
        raise click.UsageError(str(error)) from error


def pattern_table(prepared: PreparedMatrix, colored: ColoringResult) -> Table:
    """Return the facts on the pattern and its coloring."""
    (m, n), nnz = prepared.shape, prepared.pattern.nnz
    bound = "optimal" if colored.is_optimal else f"proven lower bound {colored.lower_bound}"
    passes = [f"{count} {name.upper()}" for name, count in prepared.passes.items() if count]
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold")
    facts.add_row(
        "\npattern",
        f"\n{dimensions((m, n))}, {several(nnz, 'nonzero')}: {nnz / m:.3g} a row, {100 * nnz / m / n:.3g} % of all",
    )
    facts.add_row("colors", f"{colored.num_colors} ({bound})")
    facts.add_row("passes", f"{' + '.join(passes) or 'none: entries are computed where they stand'}, instead of {n:,}")
    facts.add_row("mode", prepared.mode + "\n")
    return facts


def measure(problem: Problem, prepared: Any, colored: ColoringResult) -> Times:
    """Time the function, the matrix, and SciPy's finite differences on the same pattern and groups, in turn."""
    f, args, x = problem.f, problem.args, problem.x0
    what, out = problem.derivative.capitalize(), prepared(x, *args)
    calls: dict[str, Callable[[], object]] = {
        "f, plain NumPy": lambda: f(x, *args),
        f"{what} into out=": lambda: prepared(x, *args, out=out),
        f"{what}, a new matrix": lambda: prepared(x, *args),
    }
    if prepared.mode == "direct":
        swept = _prepare(problem, BY_PASSES[problem.derivative], coloring=colored)
        filled = swept(x, *args)
        passes = several(colored.num_colors, "pass")
        calls[f"{what} by {passes}, into out="] = lambda: swept(x, *args, out=filled)
    differentiated, of = (f, "") if problem.derivative == "jacobian" else (prepared.gradient, " of the gradient")
    groups = coloring.color(prepared.pattern)
    calls[f"SciPy finite differences{of}, {several(groups.num_colors, 'group')}"] = finite_differences(
        differentiated, x, prepared.pattern, np.asarray(groups.colors), *args
    )
    return interleaved(calls, seconds=1.5, at_least=3)


def times_table(times: Times) -> Table:
    """Return the times of one evaluation, and how many times that of the function they are."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("one evaluation")
    table.add_column("milliseconds", justify="right")
    table.add_column("times f", justify="right")
    first = next(iter(times))
    for name in times:
        table.add_row(name, f"{1e3 * times.median(name):.3g}", f"{times.ratio(name, first):.3g}")
    return table


def check_table(problem: Problem, prepared: Any) -> Table:
    """Return how far the matrix is from complex steps of the plain function, at a point next to x0."""
    x = problem.x0 + 0.1 * np.random.default_rng(0).random(problem.x0.shape)
    given = problem.f, x, prepared(x, *problem.args)
    if problem.derivative == "jacobian":
        columns = np.asarray(coloring.color(prepared.pattern).colors)
        rows = {
            "every entry": difference_of_entries(*given, columns, *problem.args),
            "J v along 3 random directions": difference_along(*given, *problem.args),
        }
    else:
        rows = {"v H v along 3 random directions": difference_of_curvature(*given, *problem.args)}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("\nlargest relative difference to complex steps of f")
    table.add_column("")
    for name, difference in rows.items():
        table.add_row(name, f"{difference:.1e}")
    table.add_row("")
    return table


def picture(console: Console, problem: Problem, colored: ColoringResult, path: Path) -> None:
    """Draw the colored pattern; where the problem is too large for that, the same problem at a small size."""
    title, smaller = problem.title, ""
    if max(colored.pattern.shape) > LEGIBLE:
        size = SIZES[problem.name].picture
        small = PROBLEMS[problem.name](size)
        pattern = sad.jacobian_pattern if problem.derivative == "jacobian" else sad.hessian_pattern
        kind = {name: getattr(colored, name) for name in ("structure", "partition", "decompression")}
        colored = coloring.color(pattern(small.f, small.x0, *small.args), **kind)
        title, smaller = small.title, f" (at size {size}, to be legible)"
    try:
        figure = colored.spy()
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        console.print("no picture: it needs matplotlib, pip install 'sparsead[plot]'")
        return
    figure.suptitle(title, x=0.02, ha="left", fontsize=14, fontweight="bold")
    with written(path):
        figure.savefig(path, dpi=150)
    console.print(f"picture of the colored pattern{smaller}: [bold]{path}[/]")
