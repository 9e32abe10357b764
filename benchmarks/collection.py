"""Every problem of `sparsead.problems`: the whole sparse matrix against one NumPy evaluation of the function."""

from __future__ import annotations

import time
from typing import Any

import click

import sparsead as sad
from benchmarks.contenders import one_core
from benchmarks.report import Part, Table, Target, show
from sparsead.cli.timing import interleaved
from sparsead.problems import PROBLEMS, SIZES, Problem

COMPRESSED = "compressed"


def one_problem(problem: Problem) -> tuple[tuple[str | float | int | None, ...], Target]:
    f, x, args = problem.f, problem.x0, problem.args
    prepare: Any = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    chosen, swept = prepare(f, x, *args), prepare(f, x, *args, mode=COMPRESSED)
    first, second = chosen(x, *args), swept(x, *args)
    times = interleaved(
        {
            "f": lambda: f(x, *args),
            "out": lambda: chosen(x, *args, out=first),
            "new": lambda: chosen(x, *args),
            "swept": lambda: swept(x, *args, out=second),
        },
        seconds=3.0,
        at_most=100,
        clock=time.process_time,
    )
    passes = sum(swept.passes.values())
    row = (
        f"{problem.name}, {problem.derivative}",
        f"{x.size:,}",
        chosen.pattern.nnz,
        chosen.mode,
        1e3 * times.median("f"),
        1e3 * times.median("out"),
        times.ratio("out", "f"),
        times.ratio("new", "f"),
        f"{swept.mode}, {passes} of at least {swept.coloring.lower_bound}",
        times.ratio("swept", "f"),
    )
    return row, Target(f"{problem.title}: time of the {problem.derivative} / f in NumPy", times.ratio("out", "f"), 1.0)


def run() -> list[Part]:
    one_core()
    rows, targets = zip(*(one_problem(PROBLEMS[name](size.bench)) for name, size in SIZES.items()), strict=True)
    columns = ("", "n", "nnz", "mode", "f, ms", "matrix, ms", "times f", "new, times f", "by passes", "times f")
    note = "The matrix into `out=`; a new one; and by compressed passes. Run by `python -m benchmarks.collection`."
    return [Table("One matrix against one evaluation of f", columns, list(rows), note), *targets]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
