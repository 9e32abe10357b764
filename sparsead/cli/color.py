"""``sparsead color``: pass counts of every coloring and order for a Matrix Market file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

import coloring
from coloring.orders import ORDERS
from coloring.problems import COLORINGS
from coloring.words import dimensions, several
from sparsead.cli.choices import order_option
from sparsead.cli.files import NewFile, written
from sparsead.cli.market import BadMatrixError, read_pattern
from sparsead.measuring.counting import Results, counted
from sparsead.measuring.table import Cell, Table


@click.command()
@click.argument("matrix", type=click.Path(path_type=Path))
@click.option(
    "--structure",
    type=click.Choice(["all", "nonsymmetric", "symmetric"]),
    default="all",
    help="Which colorings: all that apply (default), or those of one structure.",
)
@order_option
@click.option(
    "--plot",
    type=NewFile(),
    help="Write the matrix, colored by group, and its compressed forms for the fewest passes.",
)
def color(matrix: Path, structure: str, orders: tuple[str, ...], plot: Path | None) -> None:
    """Count the passes of every coloring for MATRIX, a Matrix Market file (.mtx or .mtx.gz).

    Without --order, those of every order and of auto.
    """
    console = Console()
    pattern = read_pattern(matrix)
    chosen = applicable(pattern, structure)
    names = list(orders or [*ORDERS, "auto"])
    console.print(
        f"{matrix.name}: {dimensions(pattern.shape)}, {several(pattern.nnz, 'entry')}, density {pattern.density:.2g}"
    )
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("coloring", total=len(chosen) * len(names))
        results = counted(pattern, chosen, names, lambda what: progress.update(task, description=what, advance=1))
    console.print(*table(list(chosen), names, results).rich(console.width), sep="\n")
    if plot is not None:
        best = min((result for result, _ in results.values()), key=lambda result: result.num_colors)
        with written(plot):
            best.spy().savefig(plot, dpi=150)
        console.print(f"{best!r}\nwritten to {plot}", highlight=False)


def applicable(pattern: coloring.SparsityPattern, structure: str) -> dict[str, tuple[str, str, str]]:
    """Return the colorings of this structure that the matrix has."""
    if structure == "symmetric" and not pattern.is_symmetric:
        raise BadMatrixError("this matrix is not symmetric; leave out --structure symmetric")
    return {
        title: terms
        for title, terms in COLORINGS.items()
        if structure in ("all", terms[0]) and (terms[0] == "nonsymmetric" or pattern.is_symmetric)
    }


def table(titles: list[str], names: list[str], results: Results) -> Table:
    """Lay out passes and times: a row per order, a column per coloring, the fewest passes marked."""
    fewest = {
        title: min((result.num_colors for (of, _), (result, _) in results.items() if of == title), default=0)
        for title in titles
    }
    rows: list[list[Cell]] = []
    for name in names:
        cells: list[Cell] = []
        for title in titles:
            result, seconds = results.get((title, name), (None, 0.0))
            best = "*" if result is not None and result.num_colors == fewest[title] else ""
            cells.append(None if result is None else f"{best}{result.num_colors}  {seconds:.3f}")
        if any(cells):
            rows.append([name.replace("distance_two", "d2"), *cells])
    bounds = {of: result.lower_bound for (of, _), (result, _) in results.items()}
    rows.append(["lower bound", *(bounds.get(title) for title in titles)])
    return Table("Passes, and seconds to color", ["order", *(title.replace(" ", "\n") for title in titles)], rows)
