"""The Jacobian of the 2-D Brusselator against the alternatives, on grids from 16 x 16 to 256 x 256."""

from __future__ import annotations

import click
import numpy as np

import sparsead as sad
from benchmarks.cases import Case
from benchmarks.contenders import one_core
from benchmarks.race import ASDEX, HAND, OURS, PASSES, SX, F, race
from benchmarks.report import Lines, Part, Race, Target, show
from sparsead.measuring.reference import difference_along, difference_of_entries
from sparsead.measuring.timing import Times
from sparsead.problems import brusselator


def one_size(N: int) -> list[Part]:
    found, times = race(Case("brusselator", N))
    return [found, *targets(times, N)]


def targets(times: Times, N: int) -> list[Part]:
    """Return what was promised for N = 256, as far as the contenders are there."""
    if N != 256:
        return []
    claims: list[tuple[str, str, str, float]] = [
        ("asdex / forward passes", ASDEX, PASSES, 2.0),
        ("CasADi / forward passes", SX, PASSES, 1.0),
        ("asdex / direct", ASDEX, OURS, 10.0),
        ("CasADi / direct", SX, OURS, 5.0),
    ]
    found: list[Part] = [
        Target(f"Brusselator N = 256, time of {claim}", times.ratio(a, b), limit, at_least=True)
        for claim, a, b, limit in claims
        if a in times
    ]
    found.append(Target("Brusselator N = 256, time of direct / by hand", times.ratio(OURS, HAND), 1.5))
    found.append(Target("Brusselator N = 256, time of direct / f in NumPy", times.ratio(OURS, F), 1.0))
    return found


def pictures(races: list[Race]) -> list[Part]:
    """Draw how the time of one Jacobian grows, and that to the first one."""
    return [
        drawn("brusselator", "Milliseconds for one Jacobian", {race.n: race.ms for race in races}),
        drawn("brusselator-first", "Seconds to the first Jacobian, no caches", {race.n: race.first for race in races}),
    ]


def drawn(file: str, title: str, times: dict[int, dict[str, float]]) -> Lines:
    """Draw the times of every tool over the number of unknowns."""
    lines: dict[str, list[list[float]]] = {}
    for n, by_tool in times.items():
        for tool, value in by_tool.items():
            lines.setdefault(tool, []).append([n, value])
    return Lines(file, title, "unknowns", {title: lines})


def exactness(N: int) -> list[Part]:
    """Compare with the complex step, and count nonzeros and colors."""
    problem = brusselator(N)
    x = problem.x0 + 0.1 * np.random.default_rng(0).random(problem.x0.shape)
    jac = sad.jacobian(problem.f, x, *problem.args, mode="forward")
    J = jac(x, *problem.args)
    entries = difference_of_entries(problem.f, x, J, jac.coloring.colors, *problem.args)
    directions = difference_along(problem.f, x, J, *problem.args)
    at = f"Brusselator N = {N}"
    return [
        Target(f"{at}, nonzeros a row", J.nnz / x.size, 6.0),
        Target(f"{at}, colors (proven lower bound {jac.coloring.lower_bound})", jac.coloring.num_colors, 13),
        Target(f"{at}, largest relative difference of an entry to complex step", entries, 1e-6),
        Target(f"{at}, largest relative difference of J v to complex step", directions, 1e-6),
    ]


def run(sizes: tuple[int, ...] = (16, 32, 64, 128, 256)) -> list[Part]:
    one_core()
    parts = [part for N in sizes for part in one_size(N)]
    races = [part for part in parts if isinstance(part, Race)]
    return [*parts, *exactness(max(sizes)), *pictures(races)]


@click.command()
@click.option("--sizes", default="16,32,64,128,256", show_default=True, help="Grid points along a side.")
def main(sizes: str) -> None:
    show(run(tuple(int(N) for N in sizes.split(","))))


if __name__ == "__main__":
    main()
