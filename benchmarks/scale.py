"""Two million unknowns, and twenty; all stencils of 10^6 and 10^7: time and memory of preparation and evaluation."""

from __future__ import annotations

from typing import Any

import click

from benchmarks.fresh import measured
from benchmarks.report import Part, Table, Target, show
from sparsead.memory import available

COLUMNS = (
    "n", "mode", "prepare, s", "to the first matrix, s", "one matrix, s", "peak memory, GiB", "the matrix alone, GiB",
)  # fmt: skip
STENCILS = {  # sizes of some 10^6 and 10^7 unknowns
    "brusselator": (707, 2236), "bratu": (100, 215), "cavity": (707, 2236), "minimal-surface": (1000, 3162),
    "rosenbrock": (1_000_000, 10_000_000), "burgers": (1_000_000, 10_000_000), "burgers-2d": (707, 2236),
}  # fmt: skip
STAGES = ("trace", "lower", "detect", "color", "compile", "check")
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


def stencils(largest: bool = True) -> list[Part]:
    """Measure all stencil problems; the largest sizes once, with the code that the smaller ones have left."""
    rows, parts = [], []
    for problem, sizes in STENCILS.items():
        for size in sizes[: 1 + largest]:
            if size == sizes[-1] and (available() or ROOM) < ROOM:
                rows.append((f"{problem}, size {size:,}: left out, too little memory is free", *[None] * 9))
                continue
            found = measured(problem, size)
            beyond = (found["peak_gib"] - found["before_gib"] - found["matrix_gib"]) / found["matrix_gib"]
            stages = (found["stages"].get(name) for name in STAGES)
            rows.append((f"{problem}, {found['n']:,}", *stages, found["first"], beyond, found["matrix_gib"]))
            if size == sizes[-1]:
                parts.append(Target(f"{problem}, n = {found['n']:,}, to the first matrix", found["first"], 2.0, "s"))
                parts.append(Target(f"{problem}, n = {found['n']:,}, memory beside the matrix", beyond, 1.5, "x"))
    heads = ("stencil, unknowns", *STAGES, "to the first matrix", "memory beside it / matrix", "matrix, GiB")
    note = "Seconds of the processor, fresh processes; run by `python -m benchmarks.scale --stencils`."
    return [Table("Stencils of 10^6 and 10^7 unknowns", heads, rows, note), *parts]


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
@click.option("--stencils", "only", is_flag=True, help="All stencil problems at 10^6 and 10^7 unknowns instead.")
@click.option("--million", is_flag=True, help="With --stencils, those of 10^6 alone.")
def main(size: int | None, only: bool, million: bool) -> None:
    show(stencils(largest=not million) if only else run(size))


if __name__ == "__main__":
    main()
