"""All figures of the documentation: ``python -m benchmarks`` (or ``make bench``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

import click

from benchmarks import comparisons
from benchmarks.pages import FOLDER, Measured, pages
from benchmarks.pictures import draw
from benchmarks.report import Dots, Lines, Part, show
from benchmarks.store import ROOT, keep, kept

MODULES = (
    "collection", "start", "passes", "counts", "growth", "stages", "scale", "solvers", "loops", "steps", "brusselator",
    "rosenbrock",
)  # fmt: skip
PARTS: dict[str, Callable[[], list[Part]]] = {
    name: partial(lambda name: import_module(f"benchmarks.{name}").run(), name) for name in MODULES
} | {name: partial(comparisons.run, case) for name, case in comparisons.PARTS.items()}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--again", is_flag=True, help="Also run parts whose results are there.")
@click.option("--page", is_flag=True, help="Run nothing: write the pages from the results that are there, of any code.")
def main(names: tuple[str, ...], again: bool, page: bool) -> None:
    """Run the benchmarks, or these parts of them, and write docs/benchmarks.md with its pictures.

    Results are kept in benchmarks/results: a run that was cut off goes on where it was, unless the code has changed.
    With NAMES, these parts run and no page is written; --page writes the pages then.
    """
    results: dict[str, Measured] = {}
    for name in names or PARTS:
        found = kept(name, any_source=page)
        if not page and (found is None or again or names):
            found = measured(name)
        if found is None:
            click.echo(f"no results of {name}", err=True)
        else:
            results[name] = found
    show([part for found in results.values() for part in found.parts])
    if not names:
        write(results)


def measured(name: str) -> Measured:
    """Run a part and keep its results."""
    start = time.perf_counter()
    parts = PARTS[name]()
    click.echo(f"{name}: {time.perf_counter() - start:.0f} s", err=True)
    return keep(name, parts)


def write(results: dict[str, Measured]) -> None:
    """Write the pages and their pictures into the documentation."""
    docs = ROOT / "docs"
    for part in (part for found in results.values() for part in found.parts):
        if isinstance(part, Lines | Dots):
            draw(part, docs / FOLDER)
    (docs / FOLDER).mkdir(exist_ok=True)
    for file, text in pages(results).items():
        (docs / file).write_text(text)


if __name__ == "__main__":
    main()
