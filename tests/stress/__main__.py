"""Threads that prepare, evaluate, import, pickle, compile and fork at once: ``python -m tests.stress --minutes 10``.

Each thread draws what it does next. An exception, a value that differs from what it was alone, a child that is stuck,
and a function of NumPy that is not itself are findings; the exit status is 1 then.
"""

from __future__ import annotations

import faulthandler
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import click

from tests.stress.work import KINDS, Shared

STUCK = 300.0  # seconds after which everything stands still


@click.command(help=__doc__)
@click.option("--minutes", type=float, default=10.0, show_default=True)
@click.option("--threads", type=int, default=8, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def main(minutes: float, threads: int, seed: int) -> None:
    counts, failures = stressed(60.0 * minutes, threads, seed)
    print(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{len(failures)} failures in {minutes:g} minutes of {threads} threads")
    sys.exit(1 if failures else 0)


def stressed(seconds: float, threads: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Let threads work for some time; return how often each thing was done, and what went wrong."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        shared = Shared(Path(folder))
        end = time.monotonic() + seconds

        def work(number: int) -> None:
            drawn = random.Random(seed * 1000 + number)
            while time.monotonic() < end:
                kind = drawn.choice(list(KINDS))
                try:
                    KINDS[kind](shared, drawn)
                except BaseException:
                    failures.append(f"{kind}: {traceback.format_exc()}")
                counts[kind] += 1

        workers = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(threads)]
        faulthandler.dump_traceback_later(seconds + STUCK, exit=True)
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        faulthandler.cancel_dump_traceback_later()
        shared.everything_is_as_before()
    return counts, failures


if __name__ == "__main__":
    main()
