"""All figures of the documentation: ``python -m benchmarks`` (or ``make bench``)."""

from __future__ import annotations

import time
from pathlib import Path

import click

from benchmarks import brusselator, collection, rosenbrock, scale, solvers, stages, start
from benchmarks.report import Part, show, write

ROOT = Path(__file__).parents[1]
PARTS = {
    "collection": collection.run,
    "start": start.run,
    "stages": stages.run,
    "scale": scale.run,
    "solvers": solvers.run,
    "brusselator": brusselator.run,
    "rosenbrock": rosenbrock.run,
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Run these parts, and write no page.")
def main(only: tuple[str, ...]) -> None:
    """Run the benchmarks, show them, and write out/benchmarks.md and docs/benchmarks.md."""
    parts: list[Part] = []
    for name in only or PARTS:
        start_of_part = time.perf_counter()
        parts += PARTS[name]()
        click.echo(f"{name}: {time.perf_counter() - start_of_part:.0f} s", err=True)
    show(parts)
    write(parts, "make bench", ROOT / "out" / "benchmarks.md", *([] if only else [ROOT / "docs" / "benchmarks.md"]))


if __name__ == "__main__":
    main()
