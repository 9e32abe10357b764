"""The Jacobian of the 2-D Brusselator against the alternatives, on grids from 64 x 64 to 256 x 256."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import click
import numpy as np

import coloring
import sparsead as sad
from benchmarks import brusselator_peers as peers
from benchmarks.contenders import Contender, compare, one_core, ours, prepared
from benchmarks.report import Part, Table, Target, show
from sparsead.cli.reference import difference_along, difference_of_entries, finite_differences
from sparsead.cli.timing import Times
from sparsead.problems import Problem, brusselator

F, DIRECT, FORWARD, HAND = "f in NumPy", "sparsead, direct", "sparsead, forward passes", "by hand in numba"
SCIPY, CASADI, ASDEX = "SciPy grouped differences", "CasADi SX, raw buffers", "asdex on JAX, jitted"
MODES = {"direct": DIRECT, "forward": FORWARD}


def contenders(problem: Problem, N: int) -> list[Contender]:
    """Prepare what is installed; ours first, in every mode that there is."""
    found = [ours(problem, mode, name) for mode, name in MODES.items()]
    found.append(prepared(HAND, lambda: peers.by_hand(problem, N, found[0].matrix())))
    if find_spec("casadi"):
        found.append(prepared(CASADI, lambda: peers.casadi(problem, N)))
    if find_spec("asdex"):
        found.append(prepared(ASDEX, lambda: peers.asdex(problem, N)))
    return found


def others(problem: Problem) -> dict[str, Callable[[], object]]:
    """Return the function itself, our fresh matrix, and SciPy (which is less exact, so no contender)."""
    f, x, args = problem.f, problem.x0, problem.args
    jac = sad.jacobian(f, x, *args)
    colors = coloring.color(jac.pattern).colors
    return {
        F: lambda: f(x, *args),
        "sparsead, a new matrix": lambda: jac(x, *args),
        "sparsead, value and Jacobian": lambda: jac.value_and_jacobian(x, *args),
        SCIPY: finite_differences(f, x, jac.pattern, colors, *args),
    }


def one_size(N: int) -> list[Part]:
    problem = brusselator(N)
    found = contenders(problem, N)
    times = compare(found, others(problem))
    prepare = {c.name: c.prepare for c in found}
    first = found[0].name
    rows = [
        (name, prepare.get(name), 1e3 * times.median(name), times.ratio(name, F), times.ratio(name, first))
        for name in times
    ]
    table = Table(
        f"Brusselator, N = {N}: n = {2 * N * N:,}, {12 * N * N:,} nonzeros",
        ("", "to the first matrix, s", "one matrix, ms", "times f", f"times {first}"),
        rows,
        f"Run by `python -m benchmarks.brusselator --sizes {N}`. SciPy is given the pattern and the coloring; what is "
        "compiled once for all sizes is paid at the first.",
    )
    return [table, *targets(times, N)]


def targets(times: Times, N: int) -> list[Part]:
    """Return what was promised for N = 256, as far as the contenders are there."""
    if N != 256:
        return []
    claims: list[tuple[str, str, str, float]] = [
        ("asdex / forward passes", ASDEX, FORWARD, 1.5),
        ("CasADi / forward passes", CASADI, FORWARD, 1.0),
        ("asdex / direct", ASDEX, DIRECT, 10.0),
        ("CasADi / direct", CASADI, DIRECT, 5.0),
    ]
    found: list[Part] = [
        Target(f"Brusselator N = 256, time of {claim}", times.ratio(a, b), limit, at_least=True)
        for claim, a, b, limit in claims
        if a in times
    ]
    found.append(Target("Brusselator N = 256, time of direct / by hand", times.ratio(DIRECT, HAND), 1.5))
    found.append(Target("Brusselator N = 256, time of direct / f in NumPy", times.ratio(DIRECT, F), 1.0))
    return found


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


def run(sizes: tuple[int, ...] = (64, 128, 256)) -> list[Part]:
    one_core()
    parts = [part for N in sizes for part in one_size(N)]
    return parts + exactness(max(sizes))


@click.command()
@click.option("--sizes", default="64,128,256", show_default=True, help="Grid points along a side.")
def main(sizes: str) -> None:
    show(run(tuple(int(N) for N in sizes.split(","))))


if __name__ == "__main__":
    main()
