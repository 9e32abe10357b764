"""How evaluation grows: one matrix and one evaluation of f, from a thousand unknowns to ten million."""

from __future__ import annotations

import gc
import time

import click

from benchmarks.cases import Case
from benchmarks.contenders import EACH, one_core, prepare
from benchmarks.report import Lines, Part, Table, show
from sparsead.measuring.timing import interleaved

SIZES = {
    "brusselator": (22, 71, 224, 707, 2236),
    "burgers": (1_000, 10_000, 100_000, 1_000_000, 10_000_000),
    "bratu": (10, 22, 46, 100, 215),
    "hyperelastic": (7, 14, 24),
    "rosenbrock": (1_000, 10_000, 100_000, 1_000_000, 10_000_000),
    "minimal-surface": (32, 100, 316, 1000, 3162),
}


def measured(case: Case) -> tuple[int, int, float, float, float]:
    """Return unknowns, entries, seconds of f, seconds of one matrix, and their ratio."""
    problem = case.problem()
    matrix = prepare(problem)
    out = matrix(problem.x0, *problem.args)
    times = interleaved(
        {
            "f": lambda: problem.f(problem.x0, *problem.args),
            "matrix": lambda: matrix(problem.x0, *problem.args, out=out),
        },
        seconds=2.0,
        clock=time.process_time,
        each=EACH,
    )
    return problem.x0.size, int(out.nnz), times.median("f"), times.median("matrix"), times.ratio("matrix", "f")


def run() -> list[Part]:
    one_core()
    rows = []
    lines: dict[str, dict[str, list[list[float]]]] = {"one matrix, ms": {}, "one matrix / f in NumPy": {}}
    for name, sizes in SIZES.items():
        for size in sizes:
            n, nnz, f, matrix, ratio = measured(Case(name, size))
            gc.collect()
            rows.append((name, f"{n:,}", nnz, 1e3 * f, 1e3 * matrix, 1e9 * matrix / nnz, ratio))
            for label, value in zip(lines, (1e3 * matrix, ratio), strict=True):
                lines[label].setdefault(name, []).append([n, value])
    columns = ("", "n", "entries", "f, ms", "one matrix, ms", "ns an entry", "times f")
    note = "The matrix into `out=`, mode `auto`. Run by `python -m benchmarks.growth`."
    return [
        Table("Growth of one evaluation", columns, rows, note),
        Lines("growth", "One matrix, from a thousand unknowns to ten million", "unknowns", lines),
    ]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
