"""How long tiny and huge patterns take to color.

Usage: python -m benchmarks.coloring_extremes [--tiny 1000] [--side 3163] [--threads 2]

Seconds of the processor for tiny patterns, of which there are many; for huge ones also those that pass, which is what
threads are for, and memory above the pattern.  Every kernel has run before.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import coloring
from benchmarks import matrices
from coloring import SparsityPattern
from coloring.problems import COLORINGS

ROUNDS = 5


def random_patterns(number: int, most: int = 30) -> list[tuple[SparsityPattern, SparsityPattern]]:
    """Random patterns of up to so many rows and columns, from sparse to half full; and symmetric ones."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(number):
        m, n, k = rng.integers(1, most + 1, 3)
        density = rng.uniform(0.02, 0.5)
        A, S = rng.random((m, n)) < density, rng.random((k, k)) < density / 2
        S |= S.T | (np.eye(k, dtype=bool) if rng.random() < 0.7 else False)
        made.append((SparsityPattern.from_scipy(A), SparsityPattern.from_scipy(S)))
    return made


def tiny(number: int) -> Table:
    """Each of the six problems on the same patterns."""
    table = Table("coloring", "patterns", "median, ms", "90 %, ms", "longest, ms", "colors together")
    table.title = "auto, up to 30 x 30"
    made = random_patterns(number)
    for kind, terms in COLORINGS.items():
        chosen = [symmetric if terms[0] == "symmetric" else any_ for any_, symmetric in made]
        for pattern in chosen:  # kernels are compiled
            coloring.color(fresh(pattern), *terms)
        seconds, colors = [], 0
        for pattern in chosen:
            start = time.process_time()
            colors += coloring.color(pattern, *terms).num_colors
            seconds.append(1e3 * (time.process_time() - start))
        shown = (np.median(seconds), np.quantile(seconds, 0.9), max(seconds))
        table.add_row(kind, str(number), *(f"{value:.2f}" for value in shown), str(colors))
    return table


def fresh(pattern: SparsityPattern) -> SparsityPattern:
    """The same pattern without what it has computed before."""
    return SparsityPattern.from_csr(pattern.indptr, pattern.indices, pattern.shape)


def huge(kind: str, side: int, order: str, threads: int | None) -> tuple[str, ...]:
    """The five-point pattern of this many points in each direction: a row of the table."""
    terms = COLORINGS[kind]
    A = matrices.grid(side, side)
    pattern = SparsityPattern.from_scipy(A)
    del A
    for _ in range(2):
        coloring.color(matrices.grid(300, 300), *terms, order=order, threads=threads)
    walls, processor = [], []
    for _ in range(ROUNDS):
        one = fresh(pattern)
        start = time.perf_counter(), time.process_time()
        result = coloring.color(one, *terms, order=order, threads=threads)
        walls.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    seconds = f"{np.median(walls):.2f}", f"{min(walls):.2f}", f"{np.median(processor):.2f}"
    by = "greedy" if threads is None else f"in blocks, {threads}"
    return kind, f"{side**2:,}", order, by, str(result.num_colors), *seconds


MEMORY = """
import resource, sys
import coloring
from benchmarks import matrices
from coloring.problems import COLORINGS
kind, side, order, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]) or None
coloring.color(matrices.grid(300, 300), *COLORINGS[kind], order=order, threads=threads)
A = matrices.grid(side, side)
pattern = coloring.SparsityPattern.from_csr(A.indptr, A.indices, A.shape)
del A
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak so far is forgotten
def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))
before = status("VmRSS")
coloring.color(pattern, *COLORINGS[kind], order=order, threads=threads)
print(1024 * (status("VmHWM") - before))
"""


def memory(kind: str, side: int, order: str, threads: int | None) -> str:
    """Bytes above the pattern, at most, for each column: of a process that does nothing else."""
    arguments = [kind, str(side), order, str(threads or 0)]
    done = subprocess.run([sys.executable, "-c", MEMORY, *arguments], capture_output=True, text=True, check=True)
    return f"{int(done.stdout) / side**2:.0f}"


@click.command()
@click.option("--tiny", "number", default=1000, show_default=True, help="Tiny patterns.")
@click.option("--side", default=3163, show_default=True, help="Points in each direction for column colorings.")
@click.option("--threads", default=2, show_default=True)
def main(number: int, side: int, threads: int) -> None:
    """Print both tables."""
    console = Console(width=120)
    if number:
        console.print(tiny(number))
    if not side:
        return
    head = ("coloring", "columns", "order", "by", "colors", "seconds, median", "least", "processor", "bytes a column")
    table = Table(*head, title="five-point grids")
    star_side = round(side / 10**0.5)
    for kind, points in (("column", side), ("star", star_side)):
        for order in ("auto", "natural"):
            for number_of in (None, 1, threads):
                row = huge(kind, points, order, number_of)
                table.add_row(*row, memory(kind, points, order, number_of))
    console.print(table)
    console.print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB at most in this process")


if __name__ == "__main__":
    main()
