"""Two million unknowns, and twenty: time and memory of the preparation and of one evaluation."""

from __future__ import annotations

from typing import Any

import click

from benchmarks.fresh import measured
from benchmarks.report import Part, Table, Target, show
from sparsead.memory import available

COLUMNS = (
    "n", "mode", "prepare, s", "to the first matrix, s", "one matrix, s", "peak memory, GiB", "the matrix alone, GiB",
)  # fmt: skip
LARGE, LARGEST = 1000, 3162  # grid points along a side: 2 * 10^6 and 2 * 10^7 unknowns
ROOM = 10 * 2**30  # bytes that must be free for the largest


def run(size: int | None = None) -> list[Part]:
    cases = [(LARGE, "auto"), (LARGE, "forward"), (LARGEST, "auto")] if size is None else [(size, "auto")]
    rows, parts = [], []
    for side, mode in cases:
        if side >= LARGEST and (available() or ROOM) < ROOM:
            rows.append((f"{2 * side * side:,}", f"{mode}: left out, too little memory is free", *[None] * 5))
            continue
        found = _warm(side, mode) if side <= LARGE else measured("brusselator", side, mode)
        times = (found[name] for name in ("prepare", "first", "again", "peak_gib", "matrix_gib"))
        rows.append((f"{found['n']:,}", mode, *times))
        parts += _targets(side, mode, found)
    note = "Brusselator; each row a fresh process with filled caches; run by `python -m benchmarks.scale`."
    return [Table("Scale", COLUMNS, rows, note), *parts]


def _warm(side: int, mode: str) -> dict[str, Any]:
    """Measure with the caches that the same run has filled before."""
    measured("brusselator", side, mode)
    return measured("brusselator", side, mode)


def _targets(side: int, mode: str, found: dict[str, Any]) -> list[Part]:
    at, beyond = f"Brusselator, n = {found['n']:,}, {mode}", found["peak_gib"] - found["before_gib"]
    targets: list[Part] = []
    if side >= LARGE:
        claim = f"{at}, memory that prepare takes over the matrix itself"
        targets.append(Target(claim, beyond / found["matrix_gib"], 8, "x"))
    if (side, mode) == (LARGE, "auto"):
        targets.append(Target(f"{at}, to the first matrix with filled caches", found["first"], 5.0, "s"))
    if side == LARGEST:
        targets.append(Target(f"{at}, peak memory", found["peak_gib"], 16.0, "GiB"))
    return targets


@click.command()
@click.option("--size", type=int, help="Grid points along a side; without it, all rows of the report.")
def main(size: int | None) -> None:
    show(run(size))


if __name__ == "__main__":
    main()
