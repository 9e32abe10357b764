"""Seconds of every stage of a preparation as the problem grows: each should grow in proportion."""

from __future__ import annotations

import click

from benchmarks.fresh import measured
from benchmarks.report import Part, Table, show

SIZES = {"brusselator": (22, 71, 224, 707, 2236), "bratu": (10, 22, 46, 100, 215)}  # 10^3 to 10^7 unknowns
TOTALS = ("prepare", "microseconds an unknown", "one matrix, ms", "ns an entry", "peak memory, GiB")


def one_problem(problem: str, sizes: tuple[int, ...]) -> Table:
    runs = [measured(problem, size) for size in sizes]
    names = list(runs[0]["stages"])
    rows = [
        (
            f"{run['n']:,}",
            *(run["stages"][name] for name in names),
            run["prepare"],
            1e6 * run["prepare"] / run["n"],
            1e3 * run["again"],
            1e9 * run["again"] / run["nnz"],
            run["peak_gib"],
        )
        for run in runs
    ]
    note = "Seconds, each row a fresh process; run by `python -m benchmarks.stages`."
    return Table(f"Stages, {problem}", ("n", *names, *TOTALS), rows, note)


def run() -> list[Part]:
    return [one_problem(problem, sizes) for problem, sizes in SIZES.items()]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
