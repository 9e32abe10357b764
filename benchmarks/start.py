"""The first Jacobian: what a fresh process pays, with empty and with filled caches, and for importing."""

from __future__ import annotations

import click

from benchmarks.cases import Case
from benchmarks.fresh import cold_and_warm, import_seconds
from benchmarks.report import Part, Table, Target, show

CASES = (("brusselator", 256), ("bratu", 50), ("battery", 160))


def run() -> list[Part]:
    rows, parts = [], []
    names: list[str] = []
    for problem, size in CASES:
        if not Case(problem, size).installed:
            continue
        cold, warm = cold_and_warm(problem, size)
        names = names or list(cold["stages"])
        for label, found in (("cold", cold), ("warm", warm)):
            rows.append((f"{problem} {size}, {label}", *(found["stages"][name] for name in names), found["first"]))
        if (problem, size) == CASES[0]:
            at = f"Brusselator N = {size}"
            parts += [
                Target(f"{at}, prepare with filled caches", warm["prepare"], 2.0, "s"),
                Target(f"{at}, prepare with empty caches", cold["prepare"], 5.0, "s"),
                Target(f"{at}, to the first matrix with filled caches", warm["first"], 0.5, "s"),
                Target(f"{at}, to the first matrix with empty caches", cold["first"], 1.5, "s"),
            ]
        if problem == "battery":
            claim = f"battery, n = {cold['n']:,}, to the first matrix with empty caches"
            parts.append(Target(claim, cold["first"], 1.5, "s"))
    note = "Seconds in a fresh process that has imported NumPy and SciPy; run by `python -m benchmarks.start`."
    table = Table("The first Jacobian", ("", *names, "to the first matrix"), rows, note)
    parts.append(Target("import sparsead after numpy, scipy and numba", import_seconds(), 0.3, "s"))
    return [table, *parts]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
