"""What functions of several numbers at once are worth: nanoseconds an element in a loop, with and without them."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
import numpy as np

import sparsead as sad
from benchmarks.contenders import EACH, no_cache, one_core
from benchmarks.report import Part, Table, show
from sparsead.emit import assembly
from sparsead.measuring.timing import interleaved

N = 16_384  # in the first caches, so that the function counts
FUNCTIONS = {"exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "pow": lambda x: x**1.7}


def machine_code(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, wide: bool) -> Callable[[], object]:
    """Return a call that computes the function of x by generated code."""
    known = assembly.has_wide
    assembly.has_wide = known if wide else lambda name, arity: False
    try:
        with no_cache():
            value = sad.jacobian(function, x).value
            value(x)
    finally:
        assembly.has_wide = known
    return lambda: value(x)


def run() -> list[Part]:
    one_core()
    x = np.random.default_rng(0).uniform(0.1, 3.0, N)
    rows = []
    for name, function in FUNCTIONS.items():
        calls = {
            "wide": machine_code(function, x, True),
            "single": machine_code(function, x, False),
            "NumPy": lambda f=function: f(x),
        }
        times = interleaved(calls, seconds=0.5, clock=time.process_time, each=EACH)
        rows.append((name, *(1e9 * times.median(call) / N for call in calls)))
    return [
        Table(
            f"Functions of {N:,} numbers, ns an element",
            ("function", "for a register at once", "one by one", "NumPy"),
            rows,
            "Generated code and NumPy; run by `python -m benchmarks.wide`.",
        )
    ]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
