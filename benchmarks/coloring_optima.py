"""How many colors `auto` gives to patterns of known optimum, periodic and tensor ones for the most part.

Usage: python -m benchmarks.coloring_optima

The optimum is proven by the bound that the result names, or argued in `benchmarks.optima`.  Seconds are of the
processor, for coloring alone: every kernel has run before.
"""

from __future__ import annotations

import time

import click
from rich.console import Console
from rich.table import Table

import coloring
from benchmarks.optima import ACYCLIC, ARGUED, PROVEN, STAR
from coloring.problems import COLORINGS


@click.command()
def main() -> None:
    """Print a table, and in how many cases the optimum is met."""
    table = Table("coloring", "pattern", "columns", "optimum", "colors", "bound", "certificate", "seconds")
    met = number = 0
    for kind, cases in (("column", PROVEN | ARGUED), ("star", STAR), ("acyclic", ACYCLIC)):
        for name, (A, fewest) in cases.items():
            coloring.color(A, *COLORINGS[kind])  # kernels are loaded
            start = time.process_time()
            result = coloring.color(A, *COLORINGS[kind])
            seconds = f"{time.process_time() - start:.4f}"
            counts = (f"{A.shape[1]:,}", str(fewest), str(result.num_colors), str(result.lower_bound))
            style = "red" if result.num_colors > fewest else ""
            table.add_row(kind, name, *counts, result.certificate[:50], seconds, style=style)
            met += result.num_colors == fewest
            number += 1
    Console(width=150).print(table, f"{met} of {number} at their optimum", sep="\n")


if __name__ == "__main__":
    main()
