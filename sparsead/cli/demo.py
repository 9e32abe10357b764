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
from sparsead.cli.progress import shown
from sparsead.cli.reference import difference_along, difference_of_entries, finite_differences
from sparsead.cli.timing import Times, interleaved
from sparsead.problems import PROBLEMS, Problem

SIZES = {"brusselator": 128, "bratu": 32}  # the size that a problem has unless --size says otherwise
PICTURE_SIZES = {"brusselator": 6, "bratu": 4}  # the size of the picture where the problem itself is too large


@click.command()
@click.argument("problem", type=click.Choice(list(SIZES)), default="brusselator")
@click.option("--size", "-N", type=click.IntRange(min=1), help="Grid points along a side.")
@click.option("--mode", default="auto", show_default=True, help="How the Jacobian is evaluated, see sad.jacobian.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="The picture's file [PROBLEM.png].")
@click.option("--no-plot", is_flag=True, help="Draw no picture.")
def demo(problem: str, size: int | None, mode: str, plot: Path | None, no_plot: bool) -> None:
    """Run the main job on a problem from the literature.

    A plain NumPy function goes in; its sparse Jacobian comes out, is timed beside its alternatives, and compared
    with the complex step of the plain function.
    """
    path = plot or Path(f"{problem}.png")
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}", param_hint="--plot")
    console = Console(highlight=False)
    chosen = PROBLEMS[problem](SIZES[problem] if size is None else size)
    console.print(f"[bold]{chosen.title}[/]\n[dim]{chosen.reference}[/]\n")
    with shown(console):
        jac = _prepared(chosen, mode)
    colored = jac.coloring if jac.coloring is not None else coloring.color(jac.pattern)
    console.print(pattern_table(jac, colored))
    console.print(times_table(measure(chosen, jac, colored)))
    console.print(check_table(chosen, jac, colored))
    if not no_plot:
        picture(console, chosen, colored, path)


def _prepared(problem: Problem, mode: str, **options: Any) -> sad.Jacobian:
    try:
        return sad.jacobian(problem.f, problem.x0, *problem.args, mode=mode, **options)
    except (sad.InputError, sad.UnsupportedOperationError) as error:
        raise click.UsageError(str(error)) from error


def pattern_table(jac: sad.Jacobian, colored: Any) -> Table:
    """Return the facts on the pattern and its coloring."""
    (m, n), nnz = jac.shape, jac.pattern.nnz
    bound = "optimal" if colored.num_colors == colored.lower_bound else f"proven lower bound {colored.lower_bound}"
    passes = [f"{count} {name.upper()}" for name, count in jac.passes.items() if count]
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold")
    facts.add_row(
        "\npattern", f"\n{m:,} x {n:,}, {nnz:,} nonzeros: {nnz / m:.3g} a row, {100 * nnz / m / n:.3g} % of all"
    )
    facts.add_row("colors", f"{colored.num_colors} ({bound})")
    facts.add_row("passes", f"{' + '.join(passes) or 'none: entries are computed in place'}, instead of {n:,}")
    facts.add_row("mode", jac.mode + "\n")
    return facts


def measure(problem: Problem, jac: sad.Jacobian, colored: Any) -> Times:
    """Time the function, its Jacobian, and SciPy's finite differences on the same pattern and groups, in turn."""
    f, args, x = problem.f, problem.args, problem.x0
    J = jac(x, *args)
    calls: dict[str, Callable[[], object]] = {
        "f, plain NumPy": lambda: f(x, *args),
        "Jacobian into out=": lambda: jac(x, *args, out=J),
        "Jacobian, a new matrix": lambda: jac(x, *args),
    }
    if jac.mode == "direct":
        swept = _prepared(problem, "forward", coloring=colored)
        K = swept(x, *args)
        calls[f"Jacobian by {colored.num_colors} passes, into out="] = lambda: swept(x, *args, out=K)
    groups = f"SciPy finite differences, {colored.num_colors} groups"
    calls[groups] = finite_differences(f, x, jac.pattern, colored.colors, *args)
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


def check_table(problem: Problem, jac: sad.Jacobian, colored: Any) -> Table:
    """Return how far the Jacobian is from the complex step of the plain function, at a point next to x0."""
    f, args = problem.f, problem.args
    x = problem.x0 + 0.1 * np.random.default_rng(0).random(problem.x0.shape)
    J = jac(x, *args)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("\nlargest relative difference to the complex step of f")
    table.add_column("")
    table.add_row("every entry", f"{difference_of_entries(f, x, J, colored.colors, *args):.1e}")
    table.add_row("J v along 3 random directions", f"{difference_along(f, x, J, *args):.1e}\n")
    return table


def picture(console: Console, problem: Problem, colored: Any, path: Path) -> None:
    """Draw the colored pattern; where the problem is too large for that, the same problem at a small size."""
    from sparsead.cli.picture import LARGEST, draw

    title, smaller = problem.title, ""
    if max(colored.pattern.shape) > LARGEST:
        small = PROBLEMS[problem.name](PICTURE_SIZES[problem.name])
        colored = coloring.color(sad.jacobian_pattern(small.f, small.x0, *small.args))
        title, smaller = small.title, f" (at size {PICTURE_SIZES[problem.name]}, to be legible)"
    try:
        draw(colored, title, path)
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        console.print("no picture: it needs matplotlib, pip install 'sparsead[plot]'")
    except (OSError, ValueError) as error:  # not writable, or an unknown format
        raise click.UsageError(f"cannot write the picture to {path}: {error}") from error
    else:
        console.print(f"picture of the colored pattern{smaller}: [bold]{path}[/]")
