"""Two million unknowns: time and memory of the preparation and of one evaluation."""

from __future__ import annotations

import click

from benchmarks.fresh import measured
from benchmarks.report import Part, Table, Target, show


def run(size: int = 1000) -> list[Part]:
    rows, parts = [], []
    for mode in ("auto", "forward"):
        found = measured("brusselator", size, mode)
        rows.append((mode, found["prepare"], found["first"], found["again"], found["peak_gib"], found["matrix_gib"]))
        parts.append(Target(f"Brusselator N = {size}, mode {mode}, peak memory", found["peak_gib"], 6.0, "GiB"))
    return [
        Table(
            f"Scale: Brusselator, N = {size}, n = {2 * size * size:,}",
            (
                "mode",
                "prepare, s",
                "to the first matrix, s",
                "one matrix, s",
                "peak memory, GiB",
                "the matrix alone, GiB",
            ),
            rows,
            f"Each row a fresh process; run by `python -m benchmarks.scale --size {size}`.",
        ),
        *parts,
    ]


@click.command()
@click.option("--size", default=1000, show_default=True, help="Grid points along a side.")
def main(size: int) -> None:
    show(run(size))


if __name__ == "__main__":
    main()
