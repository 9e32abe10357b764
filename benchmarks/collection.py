"""Every case: the whole sparse matrix against one NumPy evaluation of the function."""

from __future__ import annotations

import time

import click

from benchmarks.cases import COLLECTION, Case
from benchmarks.contenders import EACH, one_core, prepare
from benchmarks.report import Cell, Part, Table, Target, show
from sparsead.measuring.timing import interleaved

COLUMNS = (
    "", "n", "entries", "mode", "f, ms", "matrix, ms", "times f", "new, times f", "with value, times new", "by passes",
    "times f",
)  # fmt: skip
NOTE = (
    "The matrix into `out=`; a new one; value and Jacobian (of a Hessian: value, gradient and Hessian) together; and "
    "by compressed passes. Run by `python -m benchmarks.collection`."
)


def one_case(case: Case) -> tuple[tuple[Cell, ...], list[Target]]:
    """Return the row of a case, and its targets."""
    problem = case.problem()
    f, x, args = problem.f, problem.x0, problem.args
    chosen, swept = prepare(problem), prepare(problem, mode="compressed")
    first, second = chosen(x, *args), swept(x, *args)
    hessian = problem.derivative == "hessian"
    both = chosen.value_gradient_and_hessian if hessian else chosen.value_and_jacobian
    times = interleaved(
        {
            "f": lambda: f(x, *args),
            "out": lambda: chosen(x, *args, out=first),
            "new": lambda: chosen(x, *args),
            "both": lambda: both(x, *args),
            "swept": lambda: swept(x, *args, out=second),
        },
        seconds=3.0,
        at_most=100,
        clock=time.process_time,
        each=EACH,
    )
    bound = "" if swept.coloring is None else f" of at least {swept.coloring.lower_bound}"
    row = (
        f"{problem.name}, {problem.derivative}",
        f"{x.size:,}",
        int(chosen.pattern.nnz),
        chosen.mode,
        1e3 * times.median("f"),
        1e3 * times.median("out"),
        times.ratio("out", "f"),
        times.ratio("new", "f"),
        times.ratio("both", "new"),
        f"{swept.mode}, {sum(swept.passes.values())}{bound}",
        times.ratio("swept", "f"),
    )
    targets = [Target(f"{problem.title}: time of the {problem.derivative} / f in NumPy", times.ratio("out", "f"), 1.0)]
    if not hessian:
        claim = f"{problem.title}: value_and_jacobian / a new Jacobian"
        targets.append(Target(claim, times.ratio("both", "new"), 1.3))
    return row, targets


def run() -> list[Part]:
    one_core()
    found = [one_case(case) for case in COLLECTION if case.installed]
    table = Table("One matrix against one evaluation of f", COLUMNS, [row for row, _ in found], NOTE)
    return [table, *(target for _, targets in found for target in targets)]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
