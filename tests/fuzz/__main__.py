"""Try random inputs by seed within a time budget: ``python -m tests.fuzz programs --minutes 10``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from tests.fuzz.campaign import Record, code_version, run

KINDS = ("programs", "matrices", "aliasing", "readers", "calls", "grids", "points")


@click.command(help=__doc__)
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--first", type=int, help="First seed; a fresh one by default.")
@click.option("--count", type=int, help="Stop after so many seeds.")
@click.option("--minutes", type=float, help="Stop after so many minutes.")
@click.option("--workers", type=int, default=os.cpu_count(), show_default=True, help="Processes.")
@click.option("--log", type=click.Path(path_type=Path), help="Keep a record in this JSON file, and resume it.")
def main(
    kind: str, first: int | None, count: int | None, minutes: float | None, workers: int, log: Path | None
) -> None:
    record = Record.resumed(log, kind, first)
    record.versions += [v for v in [code_version()] if v not in record.versions]
    print(
        f"{kind} from seed {record.first + record.tried}; one again: python -m tests.fuzz {kind} --first SEED --count 1"
    )
    written = time.monotonic()
    for chunk in run(record, count, minutes, workers):
        for failure in chunk.failures:
            print(f"\nseed {failure['seed']}: {failure['error']}", flush=True)
        if log and time.monotonic() > written + 30.0:
            record.write(log)
            written = time.monotonic()
    if log:
        record.write(log)
    print(summary(record))
    sys.exit(1 if record.failures else 0)


def summary(record: Record) -> str:
    """Return the main counts in words."""
    counts = {name: n for name, n in record.counts.items() if " " not in name}
    listed = ", ".join(f"{n} {name}" for name, n in counts.items())
    per_seed = 1e3 * record.seconds / max(record.tried, 1)
    return f"{record.tried} seeds, {len(record.failures)} failures, {per_seed:.0f} ms each; {listed}"


if __name__ == "__main__":
    main()
