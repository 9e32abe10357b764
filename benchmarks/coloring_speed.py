"""How fast the colorings are.

Usage: python -m benchmarks.coloring_speed [FOLDER]

Against SciPy's compiled `group_columns` and against NetworkX in this process, runs interleaved, medians; against the
seconds recorded for ColPack in FOLDER (see `coloring_colpack`), if it is given.  Compilation is left out: every kernel
has run before it is timed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import networkx as nx
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize._numdiff import group_columns

import coloring
from benchmarks import matrices
from benchmarks.coloring_colpack import names, read, recorded
from coloring import SparsityPattern

ROUNDS = 7


def interleaved(contenders: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each, run in turn; one round more at first, which does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds + 1):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(found[1:])) for name, found in seconds.items()}


def fresh(pattern: SparsityPattern) -> SparsityPattern:
    """The same pattern without what it has computed before."""
    return SparsityPattern.from_csr(pattern.indptr, pattern.indices, pattern.shape)


def against_scipy(side: int = 1000) -> Table:
    """Columns of the five-point matrix in natural order."""
    A = matrices.grid(side, side)
    pattern, natural = SparsityPattern.from_scipy(A), np.arange(A.shape[1])
    assert (coloring.color(pattern, order="natural").colors == group_columns(A, natural)).all()
    times = interleaved(
        {
            "scipy group_columns": lambda: group_columns(A, natural),
            "coloring, transposition included": lambda: coloring.color(fresh(pattern), order="natural"),
            "coloring, auto (5 colors instead of 7)": lambda: coloring.color(fresh(pattern)),
        }
    )
    return ratios(f"columns, natural order, five-point, n = {A.shape[1]}", times, "scipy group_columns")


def against_networkx(side: int = 317) -> Table:
    """Largest first on the five-point matrix, with and without a graph to build."""
    pattern = SparsityPattern.from_scipy(matrices.grid(side, side))

    def by_networkx() -> dict[int, int]:
        graph = nx.Graph()
        graph.add_nodes_from(range(pattern.shape[1]))
        columns = pattern.to_scipy()
        overlap = (columns.T @ columns).tocoo()
        graph.add_edges_from(
            zip(overlap.row[overlap.row < overlap.col], overlap.col[overlap.row < overlap.col], strict=True)
        )
        return nx.greedy_color(graph, "largest_first")

    ours = coloring.color(pattern, order="largest_first").colors
    theirs = by_networkx()
    assert all(theirs[j] == color for j, color in enumerate(ours.tolist()))
    times = interleaved(
        {
            "intersection graph + nx.greedy_color": by_networkx,
            "coloring, order='largest_first'": lambda: coloring.color(fresh(pattern), order="largest_first"),
            "coloring, order='natural'": lambda: coloring.color(fresh(pattern), order="natural"),
        },
        rounds=3,
    )
    title = f"columns, largest first, five-point, n = {pattern.shape[1]}"
    return ratios(title, times, "intersection graph + nx.greedy_color")


def against_colpack(folder: Path) -> Table:
    """Seconds for order and colors of the symmetric matrices, summed, ours against the recorded ones."""
    table = Table("coloring", "order", "matrices", "ColPack s", "ours s", "ratio", title="symmetric matrices, sums")
    results = recorded(folder)
    for kind, peer in (("direct", "STAR"), ("substitution", "ACYCLIC")):
        for order in ("natural", "smallest_last", "largest_first", "incidence_degree"):
            theirs = ours = 0.0
            count = 0
            for name in names(results):
                run = results.get((name, peer), {}).get(order.upper())
                if run is None or name.startswith("st_"):
                    continue
                pattern = read(folder, name)
                theirs += run["seconds"]
                ours += interleaved({"": lambda p=pattern, k=kind, o=order: color_symmetric(p, k, o)}, 3)[""]
                count += 1
            table.add_row(peer.lower(), order, str(count), f"{theirs:.3f}", f"{ours:.3f}", f"{ours / theirs:.3f}")
    return table


def color_symmetric(pattern: SparsityPattern, decompression: str, order: str) -> np.ndarray:
    """Adjacency lists, order and colors: all that the recorded times contain, and building the graph."""
    return coloring.color(fresh(pattern), "symmetric", decompression=decompression, order=order).colors


def recovery(side: int = 1000) -> Table:
    """Plan and recovery on the five-point matrix."""
    A = matrices.grid(side, side)
    table = Table(
        "coloring", "colors", "plan s", "recover s", "recover in blocks of 2 s", "compress s", title="recovery"
    )
    for terms in (
        ("nonsymmetric", "column", "direct"),
        ("nonsymmetric", "bidirectional", "direct"),
        ("symmetric", "column", "direct"),
        ("symmetric", "column", "substitution"),
    ):
        result = coloring.color(SparsityPattern.from_scipy(A), *terms, order="natural")
        B = result.compress(A)
        whole = (None, B) if not isinstance(B, tuple) else B
        out = np.empty(A.nnz)

        def in_blocks(result: Any = result, whole: Any = whole, out: np.ndarray = out) -> None:
            for first in range(0, result.num_column_colors, 2):
                result.plan.decompress_block(whole[1][:, first : first + 2], first, out)
            for first in range(0, result.num_row_colors, 2):
                result.plan.decompress_block(whole[0][first : first + 2], first, out, side="row")
            result.plan.finish(out)

        times = interleaved(
            {
                "plan": result._make_plan,
                "recover": lambda r=result, w=whole, o=out: r.plan.decompress(w[1], w[0], o),
                "blocks": in_blocks,
                "compress": lambda r=result: r.compress(A),
            }
        )
        table.add_row(" ".join(terms), str(result.num_colors), *(f"{seconds:.4f}" for seconds in times.values()))
    return table


MEMORY = """
import sys
import numpy as np, coloring
from coloring import SparsityPattern
coloring.color(np.eye(9), *sys.argv[2:], order="natural").plan
stored = np.load(sys.argv[1])
pattern = SparsityPattern.from_csr(stored["indptr"], stored["indices"], tuple(stored["shape"]))
peak = lambda: int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
coloring.color(pattern, *sys.argv[2:], order="natural").plan
print((peak() - before) / pattern.nnz)
"""


def memory() -> Table:
    """Peak memory of coloring and plan above that of the pattern, per entry, at two sizes."""
    table = Table("coloring", "n = 10^6", "n = 4 10^6", title="bytes per entry, coloring and plan")
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for side in (1000, 2000):
            A = matrices.grid(side, side)
            file = Path(folder) / f"{side}.npz"
            np.savez(file, indptr=A.indptr, indices=A.indices, shape=A.shape)
            for terms in (("nonsymmetric", "column", "direct"), ("symmetric", "column", "direct")):
                command = [sys.executable, "-c", MEMORY, str(file), *terms]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                rows.setdefault(" ".join(terms), []).append(f"{float(done.stdout):.0f}")
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table


def ratios(title: str, times: dict[str, float], reference: str) -> Table:
    """Seconds, and how many times faster than the reference."""
    table = Table("", "s", f"times as fast as {reference}", title=title)
    for name, seconds in times.items():
        table.add_row(name, f"{seconds:.4f}", f"{times[reference] / seconds:.2f}")
    return table


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
def main(folder: Path | None) -> None:
    """Print the tables."""
    console = Console()
    console.print(against_scipy(), against_networkx(), recovery(), memory())
    if folder is not None:
        console.print(against_colpack(folder))


if __name__ == "__main__":
    main()
