"""Loops over elements with short vectors in their turns, against array code: ``python -m benchmarks.elements``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np

import sparsead as sad
from benchmarks.contenders import one_core
from benchmarks.report import Part, Table, show

COUNTS = (75, 300, 900)  # beyond a thousand, sums of numbers that are read from as many arrays are not put together
ROUNDS = 21
Index = Sequence[Sequence[int]]
Energy = Callable[[np.ndarray, Any], Any]


def pairs(count: int) -> np.ndarray:
    """Return pairs of points near each other, in no order, some five a point."""
    first = np.repeat(np.arange(count // 5), 5)
    return np.random.default_rng(0).permutation(np.stack([first, first + 1 + np.arange(first.size) % 5], axis=1))


def atoms(x: np.ndarray, places: Index) -> Any:
    """The energy of attraction and repulsion, pair by pair."""
    p, energy = x.reshape(-1, 3), 0.0
    for i, j in places:
        d = p[i] - p[j]
        s = np.sum(d**2) + 0.1
        energy += 1.0 / s**3 - 1.0 / s
    return energy


def atoms_by_arrays(x: np.ndarray, places: np.ndarray) -> Any:
    p = x.reshape(-1, 3)
    s = np.sum((p[places[:, 0]] - p[places[:, 1]]) ** 2, axis=1) + 0.1
    return np.sum(1.0 / s**3 - 1.0 / s)


def bars(x: np.ndarray, places: Index) -> Any:
    """The energy of elastic bars, bar by bar."""
    p, stretch = x.reshape(-1, 3), np.zeros(len(places))
    for e, (i, j) in enumerate(places):
        v = p[j] - p[i]
        stretch[e] = v @ v - 1.0
    return np.sum(stretch**2)


def bars_by_arrays(x: np.ndarray, places: np.ndarray) -> Any:
    p = x.reshape(-1, 3)
    v = p[places[:, 1]] - p[places[:, 0]]
    return np.sum((np.sum(v * v, axis=1) - 1.0) ** 2)


def prepared(f: Energy, x: np.ndarray, places: np.ndarray) -> tuple[float, Any]:
    """Return the seconds of the processor that a Hessian takes to prepare, and the Hessian."""
    start = time.process_time()
    hess = sad.hessian(lambda x: f(x, places), x)
    return time.process_time() - start, hess


def compared(loop: Energy, array: Energy, count: int) -> tuple[float, float, float, float]:
    """Return the seconds to prepare both; milliseconds of a matrix of the loop, and how many times the array code's."""
    places = pairs(count)
    x = np.random.default_rng(1).uniform(0.0, 3.0, 3 * (int(places.max()) + 1))
    (first, of_loop), (second, of_array) = prepared(loop, x, places), prepared(array, x, places)
    H, G = of_loop(x), of_array(x)
    assert np.allclose(H.toarray(), G.toarray(), rtol=1e-10, atol=1e-12 * abs(H).max())
    seconds = []
    for _ in range(ROUNDS):
        times = [time.perf_counter()]
        for hess, out in ((of_loop, H), (of_array, G)):
            hess(x, out=out)
            times.append(time.perf_counter())
        seconds.append(np.diff(times))
    return first, second, 1e3 * float(np.median(seconds, axis=0)[0]), float(np.median([a / b for a, b in seconds]))


def run() -> list[Part]:
    one_core()
    prepared(atoms_by_arrays, np.linspace(0.0, 3.0, 30), pairs(25))  # pays for imports
    cases = {"pairs of atoms": (atoms, atoms_by_arrays), "bars": (bars, bars_by_arrays)}
    rows = [(f"{count} {name}", *compared(*case, count)) for name, case in cases.items() for count in COUNTS]
    return [
        Table(
            "Hessians of energies that a loop adds up",
            ("", "prepare the loop, s", "prepare array code, s", "one matrix, ms", "evaluation / array code"),
            rows,
            "Seconds of the processor, nothing cached; run by `python -m benchmarks.elements`.",
        )
    ]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
