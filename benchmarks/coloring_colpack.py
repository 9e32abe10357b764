"""Numbers of colors beside those of ColPack.

Usage: python -m benchmarks.coloring_colpack FOLDER [--search best] [--budget 10] [--kind star ...]
    [--matrix NAME ...] [--table FILE]

FOLDER holds Matrix Market files and `colpack_results.csv` (matrix, coloring, ordering, colors, ...), and
`colpack_stencils.csv` for generated grids.  For every matrix and kind of coloring, the number of colors is compared
with the least over all of ColPack's orderings (and, for star colorings, both of its algorithms).  Seconds are of the
processor, for coloring alone: every kernel has run before.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import scipy.io
from rich.console import Console
from rich.table import Table

import coloring
from benchmarks import matrices
from coloring import SparsityPattern

#: The terms of each kind, and which of ColPack's colorings it is compared with.
KINDS: dict[str, tuple[tuple[str, str, str], Callable[[str], bool]]] = {
    "column": (("nonsymmetric", "column", "direct"), lambda c: c == "COLUMN_PARTIAL_DISTANCE_TWO"),
    "row": (("nonsymmetric", "row", "direct"), lambda c: c == "ROW_PARTIAL_DISTANCE_TWO"),
    "star": (("symmetric", "column", "direct"), lambda c: c in ("STAR", "RESTRICTED_STAR")),
    "acyclic": (("symmetric", "column", "substitution"), lambda c: c.startswith("ACYCLIC")),
    "star bicoloring": (("nonsymmetric", "bidirectional", "direct"), lambda c: "BICOLORING" in c),
}

#: ColPack's deterministic greedy algorithms that are ours too, in natural order.
SAME_ALGORITHM = {
    "column": "COLUMN_PARTIAL_DISTANCE_TWO",
    "row": "ROW_PARTIAL_DISTANCE_TWO",
    "star": "STAR",
    "acyclic": "ACYCLIC",
}

STENCILS = {
    "5pt": lambda n: matrices.grid(n, n),
    "9pt": lambda n: matrices.grid(n, n, stencil="box"),
    "7pt": lambda n: matrices.grid(n, n, n),
    "27pt": lambda n: matrices.grid(n, n, n, stencil="box"),
    "brusselator": matrices.two_fields,
    "arrow": matrices.arrow,
}

HEAD = ("matrix", "coloring", "ColPack", "ours", "bound", "certificate", "by", "seconds")

Recorded = dict[tuple[str, str], dict[str, dict[str, float]]]


def recorded(folder: Path) -> Recorded:
    """ColPack's colors and seconds by (matrix, coloring) and ordering."""
    found: Recorded = defaultdict(dict)
    for name in ("colpack_results.csv", "colpack_stencils.csv"):
        with open(folder / name) as file:
            for row in csv.DictReader(file):
                if row["colors"]:
                    found[row["matrix"], row["coloring"]][row["ordering"]] = {
                        "colors": int(row["colors"]),
                        "seconds": float(row["ordering_s"]) + float(row["coloring_s"]),
                    }
    return found


def read(folder: Path, name: str) -> SparsityPattern:
    """Read a matrix of the folder, or generate a stencil."""
    if name.startswith("st_"):
        _, kind, size = name.split("_")
        return SparsityPattern.from_scipy(STENCILS[kind](int(size)))
    return SparsityPattern.from_scipy(scipy.io.mmread(folder / f"{name}.mtx.gz"))


def names(results: Recorded) -> list[str]:
    """Matrices with results, in their order."""
    return list(dict.fromkeys(matrix for matrix, _ in results))


def comparisons(
    folder: Path, kinds: tuple[str, ...], search: str, budget: float | None, chosen: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, int, coloring.ColoringResult, float]]:
    """Matrix, kind, ColPack's least number of colors, our result, and its seconds."""
    results = recorded(folder)
    load(kinds, search)
    for name in chosen or names(results):
        pattern = read(folder, name)
        for kind in kinds:
            terms, is_peer = KINDS[kind]
            peers = [colors for (matrix, of), colors in results.items() if matrix == name and is_peer(of)]
            if not peers or (terms[0] == "symmetric" and not pattern.is_symmetric):
                continue
            least = min(int(run["colors"]) for peer in peers for run in peer.values())
            start = time.process_time()
            result = coloring.color(pattern, *terms, search=search, time_budget=budget)
            yield name, kind, least, result, time.process_time() - start


def load(kinds: tuple[str, ...], search: str) -> None:
    """Have every kernel run once, so that none is loaded while others are timed."""
    for A in (matrices.mesh(60), matrices.mesh(3000), matrices.grid(60, 60, periodic=True), matrices.arrow(3000)):
        for kind in kinds:
            budget = None if search == "auto" else 0.1
            coloring.color(SparsityPattern.from_scipy(A), *KINDS[kind][0], search=search, time_budget=budget)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--search", default="auto", show_default=True, type=click.Choice(["auto", "best", "exact"]))
@click.option("--budget", type=float, help="Seconds for each coloring.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), default=list(KINDS))
@click.option("--matrix", "chosen", multiple=True, help="Only these matrices.")
@click.option("--natural", is_flag=True, help="Compare the same algorithm in natural order instead.")
@click.option("--table", type=click.Path(dir_okay=False, path_type=Path), help="Write all counts to this CSV file.")
def main(
    folder: Path,
    search: str,
    budget: float | None,
    kinds: tuple[str, ...],
    chosen: tuple[str, ...],
    natural: bool,
    table: Path | None,
) -> None:
    """Print where the numbers of colors differ, and a summary."""
    console = Console()
    if natural:
        console.print(natural_order(folder))
        return
    differing = Table("matrix", "coloring", "ColPack", "ours", "bound", "order", "seconds", title="where counts differ")
    ratios: dict[str, list[float]] = defaultdict(list)
    rows: list[tuple[object, ...]] = [HEAD]
    for name, kind, least, result, seconds in comparisons(folder, kinds, search, budget, chosen):
        bound, proof = result.lower_bound, result.certificate
        rows.append((name, kind, least, result.num_colors, bound, proof, result.order, f"{seconds:.4f}"))
        ratios[kind].append(max(result.num_colors, 1) / max(least, 1))
        if result.num_colors != least:
            style = "red" if result.num_colors > least else ""
            cells = (least, result.num_colors, bound, result.order, f"{seconds:.2f}")
            differing.add_row(name, kind, *(str(cell) for cell in cells), style=style)
    console.print(differing, summary(ratios, search))
    if table is not None:
        with open(table, "w", newline="") as file:
            csv.writer(file).writerows(rows)


def summary(ratios: dict[str, list[float]], search: str) -> Table:
    """Fewer, equal, more; geometric mean of the ratio ours : ColPack's best."""
    title = f"colors with search={search!r} against the best of ColPack's orderings"
    table = Table("coloring", "matrices", "fewer", "equal", "more", "geometric mean of the ratio", title=title)
    for kind, values in ratios.items():
        r = np.array(values)
        counts = (r.size, (r < 1).sum(), (r == 1).sum(), (r > 1).sum())
        table.add_row(kind, *(str(count) for count in counts), f"{np.exp(np.log(r).mean()):.3f}")
    return table


def natural_order(folder: Path) -> Table:
    """Count the matrices on which the same algorithm in natural order gives the same number of colors."""
    results = recorded(folder)
    table = Table("coloring", "matrices", "equal", "differing", title="natural order, same greedy algorithm")
    for kind, peer in SAME_ALGORITHM.items():
        differing, equal = [], 0
        for name in names(results):
            run = results.get((name, peer), {}).get("NATURAL")
            if run is None or name.startswith("st_"):
                continue
            terms = KINDS[kind][0]
            ours = coloring.color(read(folder, name), *terms, order="natural", postprocess=False).num_colors
            if ours == run["colors"]:
                equal += 1
            else:
                differing.append(f"{name} {ours} ({int(run['colors'])})")
        table.add_row(kind, str(equal + len(differing)), str(equal), ", ".join(differing))
    return table


if __name__ == "__main__":
    main()
