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

COUNTS = (75, 300, 1200)
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


def forces(x: np.ndarray, places: Index) -> Any:
    """The forces of elastic bars, assembled bar by bar."""
    p, f = x.reshape(-1, 3), np.zeros_like(x)
    for i, j in places:
        v = p[j] - p[i]
        s = (v @ v - 1.0) * v
        f[[3 * i, 3 * i + 1, 3 * i + 2, 3 * j, 3 * j + 1, 3 * j + 2]] += np.concatenate([-s, s])
    return f


def forces_by_arrays(x: np.ndarray, places: np.ndarray) -> Any:
    return pulls_by_arrays(x, places, lambda s: s - 1.0)


def attraction(x: np.ndarray, places: Index) -> Any:
    """The forces between bodies, pair by pair."""
    p, f = x.reshape(-1, 3), np.zeros((x.size // 3, 3))
    for i, j in places:
        d = p[j] - p[i]
        pull = d / (np.sum(d**2) + 0.1) ** 1.5
        f[i] -= pull
        f[j] += pull
    return f.ravel()


def attraction_by_arrays(x: np.ndarray, places: np.ndarray) -> Any:
    return pulls_by_arrays(x, places, lambda s: 1.0 / (s + 0.1) ** 1.5)


def pulls_by_arrays(x: np.ndarray, places: np.ndarray, strength: Callable[[Any], Any]) -> Any:
    p, f = x.reshape(-1, 3), np.zeros((x.size // 3, 3))
    v = p[places[:, 1]] - p[places[:, 0]]
    pull = v * strength(np.sum(v * v, axis=1))[:, None]
    np.add.at(f, places[:, 1], pull)
    np.add.at(f, places[:, 0], -pull)
    return f.ravel()


def stiffness(x: np.ndarray, places: Index) -> Any:
    """A dense stiffness, assembled bar by bar, times displacements."""
    p, k = x.reshape(-1, 3), np.zeros((x.size, x.size))
    for i, j in places:
        v = p[j] - p[i]
        block = np.outer(v, v) / (v @ v + 0.1)
        d = [3 * i, 3 * i + 1, 3 * i + 2, 3 * j, 3 * j + 1, 3 * j + 2]
        k[np.ix_(d, d)] += np.block([[block, -block], [-block, block]])
    return k @ np.sin(np.arange(x.size))


def stiffness_by_arrays(x: np.ndarray, places: np.ndarray) -> Any:
    p, u = x.reshape(-1, 3), np.sin(np.arange(x.size)).reshape(-1, 3)
    first, second = places[:, 0], places[:, 1]
    v = p[second] - p[first]
    pull = v * (np.sum(v * (u[second] - u[first]), axis=1) / (np.sum(v * v, axis=1) + 0.1))[:, None]
    f = np.zeros(p.shape)
    np.add.at(f, second, pull)
    np.add.at(f, first, -pull)
    return f.ravel()


def prepared(make: Callable[..., Any], f: Energy, x: np.ndarray, places: np.ndarray) -> tuple[float, Any]:
    """Return the seconds of the processor that a derivative takes to prepare, and the derivative."""
    start = time.process_time()
    derivative = make(lambda x: f(x, places), x)
    return time.process_time() - start, derivative


def compared(make: Callable[..., Any], loop: Energy, array: Energy, count: int) -> tuple[float, float, float, float]:
    """Return the seconds to prepare both; milliseconds of a matrix of the loop, and how many times the array code's."""
    places = pairs(count)
    x = np.random.default_rng(1).uniform(0.0, 3.0, 3 * (int(places.max()) + 1))
    (first, of_loop), (second, of_array) = prepared(make, loop, x, places), prepared(make, array, x, places)
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
    prepared(sad.hessian, atoms_by_arrays, np.linspace(0.0, 3.0, 30), pairs(25))  # pays for imports
    cases = {
        "pairs of atoms, Hessian": (sad.hessian, atoms, atoms_by_arrays),
        "bars, Hessian": (sad.hessian, bars, bars_by_arrays),
        "bars, Jacobian of forces": (sad.jacobian, forces, forces_by_arrays),
        "pairs of bodies, Jacobian of forces": (sad.jacobian, attraction, attraction_by_arrays),
        "bars, Jacobian of stiffness @ u": (sad.jacobian, stiffness, stiffness_by_arrays),
    }
    rows = [(f"{count} {name}", *compared(*case, count)) for name, case in cases.items() for count in COUNTS]
    return [
        Table(
            "Energies and forces that a loop adds up",
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
