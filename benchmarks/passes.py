"""Pass counts over the collection: how many colors every way of coloring takes, against proven lower bounds."""

from __future__ import annotations

import math
from typing import Any

import click

import coloring
import sparsead as sad
from benchmarks.cases import COLLECTION, Case
from benchmarks.report import Cell, Dots, Part, Table, show

JACOBIANS: dict[str, dict[str, Any]] = {
    "by columns": {"partition": "column"},
    "by rows": {"partition": "row"},
    "both": {"partition": "bidirectional"},
}
HESSIANS: dict[str, dict[str, Any]] = {
    "by columns": {"partition": "column"},
    "star": {"structure": "symmetric"},
    "acyclic": {"structure": "symmetric", "decompression": "substitution"},
}


def counts(case: Case) -> tuple[int, dict[str, tuple[int, int]]]:
    """Return the unknowns of a case, and the colors and the lower bound of every coloring."""
    problem = case.problem()
    pattern_of: Any = sad.jacobian_pattern if problem.derivative == "jacobian" else sad.hessian_pattern
    pattern = pattern_of(problem.f, problem.x0, *problem.args)
    found = {}
    for name, kind in (JACOBIANS if problem.derivative == "jacobian" else HESSIANS).items():
        colored = coloring.color(pattern, **kind)
        found[name] = colored.num_colors, colored.lower_bound
    return problem.x0.size, found


def run() -> list[Part]:
    found = {case.name: counts(case) for case in COLLECTION if case.installed}
    names = list(dict.fromkeys((*JACOBIANS, *HESSIANS)))
    rows: list[tuple[Cell, ...]] = [
        (case, n, *(f"{by[name][0]} of at least {by[name][1]}" if name in by else None for name in names))
        for case, (n, by) in found.items()
    ]
    dots = Dots(
        "passes",
        "Passes of one matrix by every coloring, against the proven lower bound by columns",
        "passes",
        list(found),
        {"lower bound by columns": [float(by["by columns"][1]) for _, by in found.values()]}
        | {name: [float(by[name][0]) if name in by else math.nan for _, by in found.values()] for name in names},
    )
    note = (
        "Colors with the order `auto`; 'both' is the sum over the two sides. The bound of each is proven for that kind "
        "of coloring alone: star and acyclic colorings may take less than columns need. Run by "
        "`python -m benchmarks.passes`."
    )
    return [Table("Passes", ("", "n", *names), rows, note), dots]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
