"""``sparsead bench``: pass counts of every mode and order, times of every stage and evaluation, over a collection."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

import sparsead as sad
from coloring.orders import ORDERS
from sparsead.cli.arrays import FORMS, OF_POINT, ArrayType, PointType
from sparsead.cli.choices import choice, order_option
from sparsead.cli.files import NewFile, written
from sparsead.cli.subjects import Subject, SubjectType, subject
from sparsead.derivatives.colorings import JACOBIAN_MODES
from sparsead.measuring.findings import EVALUATED, MODES, Measured, count, pattern_of, timed
from sparsead.measuring.table import Cell, Table
from sparsead.problems import PROBLEMS
from sparsead.stages import watching

SHORT = {
    "natural": "N", "random": "R", "largest_first": "LF", "smallest_first": "SF", "smallest_last": "SL",
    "dynamic_largest_first": "DLF", "incidence_degree": "ID", "saturation": "SAT", "perfect_elimination": "PE",
    "distance_two_largest_first": "2LF", "distance_two_smallest_last": "2SL", "distance_two_incidence_degree": "2ID",
    "distance_two_dynamic_largest_first": "2DLF",
}  # fmt: skip
ALL_MODES = list(dict.fromkeys([*JACOBIAN_MODES, *MODES["hessian"]]))


@click.command()
@click.argument("subjects", nargs=-1, type=SubjectType(), metavar="[SUBJECT]...")
@click.option("--size", "-N", type=click.IntRange(min=1), help="Size of the problems of the collection.")
@click.option(
    "--scale",
    type=click.Choice(["picture", "demo", "bench"]),
    default="demo",
    show_default=True,
    help="Size of the problems: a few rows, seconds in all, or large enough to be measured.",
)
@choice("--mode", "modes", ALL_MODES, "A mode, may be repeated", multiple=True)
@order_option
@click.option("--count", "only_count", is_flag=True, help="Only count passes: the same on every machine.")
@click.option(
    "--peers", is_flag=True, help="Also time SciPy's differences, and CasADi and asdex where they are installed."
)
@click.option("--seconds", default=1.0, show_default=True, help="How long to time evaluations of each problem.")
@click.option("--x0", type=PointType(), help=f"The point of MODULE:FUNCTION: {OF_POINT}.")
@click.option(
    "--arg", "args", type=ArrayType(), multiple=True, help=f"Another argument of it, may be repeated: {FORMS}."
)
@click.option("--hessian", is_flag=True, help="Take its Hessian instead of its Jacobian.")
@click.option("--csv", "csv_file", type=NewFile(), help="Write the pass counts, a line for each mode and order.")
@click.option("--json", "json_file", type=NewFile(), help="Write everything.")
@click.option("--markdown", "markdown_file", type=NewFile(), help="Write the tables.")
@click.option("--plot", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write charts to this folder.")
def bench(
    subjects: tuple[Any, ...],
    modes: tuple[str, ...],
    orders: tuple[str, ...],
    only_count: bool,
    peers: bool,
    seconds: float,
    csv_file: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
    folder: Path | None,
    **given: Any,
) -> None:
    """Count passes and take times.

    SUBJECT is a problem of the built-in collection (all of them by default), a function of yours, MODULE:FUNCTION, or
    a Matrix Market file, whose passes alone are counted.
    """
    console = Console(highlight=False)
    chosen = [subject(s, **given) for s in subjects or PROBLEMS]
    names = list(orders or [*ORDERS, "auto"])
    found = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(chosen))
        for one in chosen:

            def tell(what: str) -> None:
                progress.update(task, description=what)

            with watching(lambda stage, _, name=one.name: tell(f"{name}: {stage}")):  # type: ignore[misc]
                found.append(_measured(one, modes, names, peers, None if only_count else seconds, tell))
            progress.advance(task)
    tables = [table for table in (passes(found, names), stages(found), times(found)) if table.rows]
    for table in tables:
        console.print(*table.rich(console.width), sep="\n")
        console.print(table.note, style="dim", markup=False)
    _write(found, tables, csv_file, json_file, markdown_file)
    if folder is not None:
        _draw(console, found, folder)


def _measured(
    one: Subject, modes: tuple[str, ...], orders: list[str], peers: bool, seconds: float | None, tell: Any
) -> Measured:
    """Count, and time unless `seconds` is None; what cannot be done ends the command with its message."""
    try:
        tell(f"{one.name}: pattern")
        pattern = one.pattern if one.pattern is not None else pattern_of(one.problem)  # type: ignore[arg-type]
        found = count(one.name, one.derivative, pattern, modes, orders, tell)
        if one.problem is not None and seconds is not None:
            fitting = [m for m in modes if m in (*EVALUATED, "direct", *MODES[one.derivative])]
            timed(found, one.problem, fitting, peers, tell, seconds)
    except sad.SparseADError as error:
        raise click.UsageError(f"{one.name}: {error}") from error
    return found


# -- tables -----------------------------------------------------------------------------------------------------
def passes(found: list[Measured], orders: list[str]) -> Table:
    """Return the pass counts: a row for each matrix and mode, a column for each order."""
    rows = [row for one in found for row in _passes_of(one, orders)]
    used = [k for k in range(5, 5 + len(orders)) if any(row[k] is not None for row in rows)]
    kept = [*range(5), *used]
    columns = ["", "n", "entries", "mode", "bound", *(SHORT.get(order, order) for order in orders)]
    legend = ", ".join(
        f"{SHORT[orders[k - 5]]} {orders[k - 5].replace('_', ' ')}" for k in used if orders[k - 5] in SHORT
    )
    note = f"bound: proven lower bound. {legend}."
    return Table("Passes", [columns[k] for k in kept], [[row[k] for k in kept] for row in rows], note, keys=(0, 3))


def _passes_of(one: Measured, orders: list[str]) -> Iterator[list[Cell]]:
    for mode in one.modes:
        by_order = {count.order: count.passes for count in one.counts if count.mode == mode}
        fewest = min(by_order.values())
        cells: list[Cell] = [by_order.get(order) for order in orders]
        marked = [f"*{cell}" if cell == fewest else cell for cell in cells]
        head: list[Cell] = [one.name, one.n, one.nnz] if mode == one.modes[0] else ["", "", ""]
        yield [*head, mode, one.bound(mode), *marked]


def stages(found: list[Measured]) -> Table:
    """Return the milliseconds of the stages of a preparation."""
    names = list(dict.fromkeys(name for one in found for name in one.stages))
    rows: list[list[Cell]] = []
    for one in (one for one in found if one.stages):
        times = [one.stages.get(name, 0.0) for name in names]
        rows.append([one.name, one.n, *(1e3 * t for t in times), 1e3 * sum(times)])
    return Table("Milliseconds to prepare", ["", "n", *names, "all"], rows)


def times(found: list[Measured]) -> Table:
    """Return the times of evaluations."""
    rows: list[list[Cell]] = []
    errors = {}
    for one in (one for one in found if one.f is not None):
        rows.append([one.name, "f in NumPy", "", None, None, 1e3 * (one.f or 0.0), 1.0])
        for name, e in one.evaluations.items():
            if e.error:
                errors[f"{one.name}, {name}"] = e.error
            milliseconds = None if e.seconds is None else 1e3 * e.seconds
            rows.append(["", name, "" if e.mode == name else e.mode, e.passes, e.first, milliseconds, e.of_f])
    columns = ["", "evaluation", "mode", "passes", "first, s", "one, ms", "times f"]
    note = (
        "first: seconds from the function to the first matrix. one: milliseconds of one evaluation, into out= where "
        "there is one; medians of runs in turn, processor time. times f: how many evaluations of f in NumPy that is."
    )
    return Table(
        "Evaluations",
        columns,
        rows,
        keys=(0, 1),
        note="\n".join([note, *(f"{who}: {why}" for who, why in errors.items())]),
    )


# -- files ------------------------------------------------------------------------------------------------------
def _write(
    found: list[Measured], tables: list[Table], csv_file: Path | None, json_file: Path | None, markdown: Path | None
) -> None:
    if csv_file is not None:
        with written(csv_file), csv_file.open("w", newline="") as file:
            _write_csv(found, file)
    if json_file is not None:
        with written(json_file):
            json_file.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    if markdown is not None:
        with written(markdown):
            markdown.write_text("\n\n".join(table.markdown() for table in tables) + "\n")


def _write_csv(found: list[Measured], file: Any) -> None:
    head = ["problem", "derivative", "m", "n", "nnz", "mode", "order", "passes", "lower_bound", "seconds_to_color"]
    writer = csv.writer(file)
    writer.writerow(head)
    for one in found:
        for c in one.counts:
            facts = [one.name, one.derivative, one.m, one.n, one.nnz]
            writer.writerow([*facts, c.mode, c.order, c.passes, c.lower_bound, c.seconds])


def _draw(console: Console, found: list[Measured], folder: Path) -> None:
    try:
        from sparsead.cli.charts import draw

        with written(folder):
            folder.mkdir(parents=True, exist_ok=True)
            console.print("charts: " + ", ".join(str(path) for path in draw(found, folder)))
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        console.print("no charts: they need matplotlib, pip install 'sparsead[plot]'")
