"""All figures of the documentation: ``python -m benchmarks`` (or ``make bench``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

import click

from benchmarks import comparisons
from benchmarks.pictures import draw
from benchmarks.report import Dots, Lines, Part, markdown, show
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
@click.option("--page", is_flag=True, help="Run nothing: write the page from the results that are there, of any code.")
def main(names: tuple[str, ...], again: bool, page: bool) -> None:
    """Run the benchmarks, or these parts of them, and write docs/benchmarks.md with its pictures.

    Results are kept in out/parts: a run that was cut off goes on where it was, unless the code has changed. With NAMES,
    these parts run and no page is written.
    """
    parts: list[Part] = []
    for name in names or PARTS:
        found = kept(name, any_source=page)
        if not page and (found is None or again or names):
            found = measured(name)
        if found is None:
            click.echo(f"no results of {name}", err=True)
        parts += found or []
    show(parts)
    if not names:
        write(parts)


def measured(name: str) -> list[Part]:
    """Run a part and keep its results."""
    start = time.perf_counter()
    parts = PARTS[name]()
    keep(name, parts)
    click.echo(f"{name}: {time.perf_counter() - start:.0f} s", err=True)
    return parts


def write(parts: list[Part]) -> None:
    """Write the page and its pictures into the documentation."""
    docs = ROOT / "docs"
    for part in parts:
        if isinstance(part, Lines | Dots):
            draw(part, docs / "benchmarks")
    (docs / "benchmarks.md").write_text(markdown(parts, "make bench", "benchmarks"))


if __name__ == "__main__":
    main()
