"""Measure all cases and print the table: ``python -m tests.real``.

With ``--write`` it also goes into docs/reference/real.md.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
import scipy.sparse

import sparsead as sad
from benchmarks.contenders import one_core
from benchmarks.report import Table, machine, show
from sparsead.measuring.timing import interleaved
from tests.real.case import Case
from tests.real.collection import CASES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "real.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
COLUMNS = (
    "function", "size", "entries", "passes", "kernels", "prepare, s", "f, ms", "J or H, ms", "of f", "difference",
)  # fmt: skip


def row(case: Case) -> tuple:
    """Prepare, compare and time one case."""
    real = case.build()
    start = time.process_time()
    matrix = getattr(sad, real.derivative)(real.f, real.x)
    out = matrix(real.x)
    prepare = time.process_time() - start
    reference = scipy.sparse.csr_array(real.reference(real.x))
    difference = float(abs(out - reference).max() / abs(reference).max())
    calls = {"f": lambda: real.f(real.x), "ours": lambda: matrix(real.x, out=out)}
    times = interleaved(calls, 1.0, clock=time.perf_counter)
    passes = matrix.mode if matrix.coloring is None else f"{matrix.mode}, {sum(matrix.passes.values())}"
    size = " x ".join(map(str, matrix.shape))
    f, ours = 1e3 * times.median("f"), 1e3 * times.median("ours")
    ratio = times.ratio("ours", "f")
    return case.name, size, matrix.pattern.nnz, passes, len(matrix.linear.kernels), prepare, f, ours, ratio, difference


@click.command()
@click.option("--write", is_flag=True, help="Put the table into docs/reference/real.md.")
def main(write: bool) -> None:
    """Measure every case whose packages are installed."""
    one_core()
    os.environ["SPARSEAD_CACHE"] = "off"  # preparation includes compilation
    table = Table("Real functions", COLUMNS)
    for case in CASES:
        if case.missing:
            click.echo(f"left out, {', '.join(case.missing)} not installed: {case.name}", err=True)
        else:
            table.rows.append(row(case))
    show([table])
    if write:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        lines = "\n".join(table.markdown().split("\n")[2:])
        tail = rest.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\nMeasured on {machine()}.\n\n{lines}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
