"""The Hessian of the chained Rosenbrock function against the alternatives, up to a million variables."""

from __future__ import annotations

from importlib.util import find_spec

import click

from benchmarks import rosenbrock_peers as peers
from benchmarks.brusselator import ASDEX, CASADI, DIRECT, HAND, F
from benchmarks.contenders import Contender, compare, one_core, ours, prepared
from benchmarks.report import Part, Table, Target, show
from sparsead.cli.timing import Times
from sparsead.problems import Problem, rosenbrock

STAR = "sparsead, star coloring"


def contenders(problem: Problem) -> list[Contender]:
    """Prepare what is installed; ours first."""
    found = [ours(problem, "direct", DIRECT), ours(problem, "star", STAR)]
    found.append(prepared(HAND, lambda: peers.by_hand(problem, found[0].matrix())))
    if find_spec("casadi"):
        found.append(prepared(CASADI, lambda: peers.casadi(problem)))
    if find_spec("asdex"):
        found.append(prepared(ASDEX, lambda: peers.asdex(problem)))
    return found


def one_size(n: int) -> list[Part]:
    problem = rosenbrock(n)
    found = contenders(problem)
    times = compare(found, {F: lambda: problem.f(problem.x0)})
    prepare = {c.name: c.prepare for c in found}
    rows = [
        (name, prepare.get(name), 1e3 * times.median(name), times.ratio(name, F), times.ratio(name, DIRECT))
        for name in times
    ]
    table = Table(
        f"Rosenbrock chain, Hessian, n = {n:,}",
        ("", "to the first matrix, s", "one matrix, ms", "times f", f"times {DIRECT}"),
        rows,
        f"Run by `python -m benchmarks.rosenbrock --sizes {n}`.",
    )
    return [table, *targets(times, prepare, n)]


def targets(times: Times, prepare: dict[str, float], n: int) -> list[Part]:
    """Return what was promised for a million variables, as far as the contenders are there."""
    if n != 1_000_000:
        return []
    at = "Rosenbrock n = 10^6"
    found: list[Part] = [
        Target(f"{at}, time of direct / by hand", times.ratio(DIRECT, HAND), 2.0),
        Target(f"{at}, time of direct / f in NumPy", times.ratio(DIRECT, F), 1.0),
        Target(f"{at}, from the function to the first Hessian", prepare[DIRECT], 2.0, "s"),
    ]
    for peer, name, limit in ((ASDEX, "asdex", 5.0), (CASADI, "CasADi", 15.0)):
        if peer in times:
            found.append(Target(f"{at}, time of {name} / direct", times.ratio(peer, DIRECT), limit, at_least=True))
    return found


def run(sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> list[Part]:
    one_core()
    return [part for n in sizes for part in one_size(n)]


@click.command()
@click.option("--sizes", default="10000,100000,1000000", show_default=True, help="Variables.")
def main(sizes: str) -> None:
    show(run(tuple(int(n) for n in sizes.split(","))))


if __name__ == "__main__":
    main()
