"""What `auto` promises, on collected matrices: never more colors than a simpler coloring, never more than one order.

Usage: python -m benchmarks.coloring_laws FOLDER

FOLDER holds Matrix Market files (see `coloring_colpack`).  For matrices of up to 2 000 rows and columns, no order alone
may give fewer colors than `auto`; for larger ones, the ratio to the best of all orders is shown, as a geometric mean.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import click
import scipy.io
from rich.console import Console
from rich.table import Table

import coloring
from coloring import SparsityPattern
from coloring.problems import COLORINGS, make_problem
from coloring.problems.base import SMALL

#: For each coloring, those that it never needs more colors than; of symmetric ones if the diagonal is full.
SIMPLER = {
    "star": ("column",),
    "acyclic": ("star",),
    "star bicoloring": ("column", "row"),
    "acyclic bicoloring": ("star bicoloring",),
}
#: Matrices with more entries, and orders that look at more pairs, are left out.
MOST_ENTRIES, MOST_PAIRS = 200_000, 20_000_000


def least_of_orders(pattern: SparsityPattern, terms: tuple[str, str, str]) -> tuple[int, str]:
    """Fewest colors that the greedy algorithm gives in any order, and the order."""
    problem = make_problem(pattern, *terms)
    names = [name for name in coloring.orders.ORDERS if problem.order_work(name) <= MOST_PAIRS]
    return min((coloring.color(pattern, *terms, order=name).num_colors, name) for name in names)


def is_simpler(kind: str, other: str, pattern: SparsityPattern) -> bool:
    """Whether a law compares these two colorings of this matrix."""
    is_full = (pattern.rows == pattern.indices).sum() == pattern.shape[1]
    return other in SIMPLER.get(kind, ()) and (kind != "star" or bool(is_full))


def broken(name: str, counts: dict[str, int], pattern: SparsityPattern) -> list[str]:
    """Colorings with more colors than simpler ones, in words."""
    return [
        f"{name}: {kind} {count}, {other} {counts[other]}"
        for kind, count in counts.items()
        for other in counts
        if is_simpler(kind, other, pattern) and count > counts[other]
    ]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Print what breaks a law, and how `auto` compares with the best of all orders."""
    faults: list[str] = []
    ratios: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for file in sorted(folder.glob("*.mtx.gz")):
        name, pattern = file.name.removesuffix(".mtx.gz"), SparsityPattern.from_scipy(scipy.io.mmread(file))
        if pattern.nnz > MOST_ENTRIES:
            continue
        kinds = {kind: terms for kind, terms in COLORINGS.items() if terms[0] != "symmetric" or pattern.is_symmetric}
        counts = {kind: coloring.color(pattern, *terms).num_colors for kind, terms in kinds.items()}
        faults += broken(name, counts, pattern)
        is_small = max(pattern.shape) <= SMALL
        for kind, terms in kinds.items():
            least, order = least_of_orders(pattern, terms)
            ratios[kind, is_small].append(max(counts[kind], 1) / max(least, 1))
            if is_small and counts[kind] > least:
                faults.append(f"{name}: {kind} {counts[kind]}, {order} {least}")
    table = Table("coloring", "rows and columns", "matrices", "fewer", "equal", "more", "geometric mean")
    for (kind, is_small), found in ratios.items():
        signs = [sum(r < 1 for r in found), sum(r == 1 for r in found), sum(r > 1 for r in found)]
        mean = math.exp(sum(map(math.log, found)) / len(found))
        size = f"{'up to' if is_small else 'more than'} {SMALL}"
        table.add_row(kind, size, str(len(found)), *map(str, signs), f"{mean:.4f}")
    table.title = "colors of auto against the best of all single orders"
    Console().print(table, *(faults or ["no law is broken"]), sep="\n")


if __name__ == "__main__":
    main()
