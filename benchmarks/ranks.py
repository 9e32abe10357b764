"""Over ranks: bytes and memory of each against their number, and the same solutions. `python -m benchmarks.ranks`.

Ranks may be more than there are cores: bytes and memory are counted, no times.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.launch import launched
from benchmarks.report import Part, Table, Target, show

COUNTS = (1, 2, 4, 8, 16)
SOLVED = {"bratu": 64, "brusselator": 512}
COUNTED = {"whole": "Bratu, f of all unknowns", "block": "Bratu, f of a block", "brusselator": "Brusselator"}
COLUMNS = ("prepared from", "ranks", "ghosts of a rank", "bytes received", "by all", "MiB, others", "MiB, rank 0")
FACTOR = 1.3  # of a share of the memory of one rank, and a constant beside


def run(program: list[str], count: int) -> list[dict[str, Any]]:
    done = launched(count, "-m", "benchmarks.ranks_program", *program, timeout=1200)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return list(json.loads(done.stdout.splitlines()[-1]))


def counted(size: int, side: int) -> list[Part]:
    rows: list[Any] = []
    parts: list[Part] = []
    for kind, words in COUNTED.items():
        alone = 0.0
        beyond = -np.inf
        for count in COUNTS:
            found = run([kind, str(side if kind == "brusselator" else size)], count)
            most = max(one["mib"] for one in found)
            alone = most if count == 1 else alone
            beyond = max(beyond, most - FACTOR * alone / count)
            received, ghosts = (sum(one[name] for one in found) for name in ("bytes", "ghosts"))
            if received != 8 * ghosts:
                raise AssertionError(f"{received} bytes were received, for {ghosts} ghosts")
            largest = max(one["ghosts"] for one in found)
            rest = max((one["mib"] for one in found[1:]), default=most)
            rows.append((words, count, largest, 8 * largest, received, rest, found[0]["mib"]))
        claim = f"{words}: memory of any rank beyond {FACTOR} x its share, at most"
        parts.append(Target(claim, beyond, 30.0, "MiB"))
    note = "Bytes of one evaluation; peak memory of the preparation, of the others and of rank 0, which traces."
    title = f"Bratu {size} x {size} x {size} and the Brusselator {side} x {side} over ranks"
    return [Table(title, COLUMNS, rows, note), *parts]


def compared(sizes: dict[str, int]) -> list[Part]:
    """Solve on 1, 2 and 4 ranks and compare."""
    parts: list[Part] = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, size in sizes.items():
            solutions = []
            for count in (1, 2, 4):
                file = Path(folder) / f"{kind}{count}.npy"
                run([kind, str(size), str(file)], count)
                solutions.append(np.load(file))
            first, *others = solutions
            apart = max(float(np.max(np.abs(other - first)) / np.max(np.abs(first))) for other in others)
            parts.append(Target(f"{kind} {size}, solutions on 1, 2 and 4 ranks apart", apart, 1e-10, ""))
    return parts


@click.command()
@click.option("--size", default=64, help="Planes of Bratu's cube.")
@click.option("--side", default=512, help="Lines of the Brusselator's square.")
@click.option("--solve/--no-solve", default=False, help="Solve problems on 1, 2 and 4 ranks instead; needs petsc4py.")
@click.option("--quick", is_flag=True, help="With --solve: small problems.")
def main(size: int, side: int, solve: bool, quick: bool) -> None:
    show(compared({"bratu": 8, "brusselator": 12} if quick else SOLVED) if solve else counted(size, side))


if __name__ == "__main__":
    main()
