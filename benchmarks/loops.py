"""Loop-coded functions against array-coded ones: seconds to prepare, and how evaluation compares."""

from __future__ import annotations

import time

import click
import numpy as np

import sparsead as sad
from benchmarks.contenders import one_core
from benchmarks.report import Part, Table, Target, show
from benchmarks.twins import TWINS, Twins

N = 100_000
ROUNDS = 41


def compared(twins: Twins) -> tuple[float, float, float]:
    """Return the seconds to prepare the loop, its seconds per matrix, and their ratio to the twin's."""
    x = np.random.default_rng(0).random(twins.size(N))
    # The first preparation of a process pays for imports and compiled helpers.
    sad.jacobian(twins.loop, x[: twins.size(100)])
    start = time.perf_counter()
    loop = sad.jacobian(twins.loop, x)
    prepare = time.perf_counter() - start
    array = sad.jacobian(twins.array, x)
    J, K = loop(x), array(x)
    assert np.allclose(J.data, K.data, rtol=1e-10, atol=1e-12)
    seconds, ratios = [], []
    for _ in range(ROUNDS):
        first = time.perf_counter()
        loop(x, out=J)
        second = time.perf_counter()
        array(x, out=K)
        third = time.perf_counter()
        seconds.append(second - first)
        ratios.append((second - first) / (third - second))
    return prepare, float(np.median(seconds)), float(np.median(ratios))


def run() -> list[Part]:
    one_core()
    rows = [(twins.name, *compared(twins)) for twins in TWINS]
    table = Table(
        f"Python loops over {N:,} elements",
        ("function", "prepare, s", "one matrix, ms", "evaluation / array form"),
        [(name, prepare, 1e3 * seconds, ratio) for name, prepare, seconds, ratio in rows],
        "The same function with a Python loop and with arrays; run by `python -m benchmarks.loops`.",
    )
    return [
        table,
        Target("loop code, longest preparation", max(row[1] for row in rows), 3.0, "s"),
        Target("loop code, evaluation against array code", max(row[3] for row in rows), 1.5, "x"),
    ]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
