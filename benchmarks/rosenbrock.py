"""The Hessian of the chained Rosenbrock function against the alternatives, up to a million variables."""

from __future__ import annotations

import click

from benchmarks.cases import Case
from benchmarks.contenders import one_core
from benchmarks.race import ASDEX, HAND, MX, OURS, SX, F, race
from benchmarks.report import Part, Race, Target, show
from sparsead.measuring.timing import Times


def one_size(n: int) -> list[Part]:
    found, times = race(Case("rosenbrock", n), leave_out=(MX,) if n > 100_000 else ())
    return [found, *targets(found, times, n)]


def targets(found: Race, times: Times, n: int) -> list[Part]:
    """Return what was promised for a million variables, as far as the contenders are there."""
    if n != 1_000_000:
        return []
    at = "Rosenbrock n = 10^6"
    promised: list[Part] = [
        Target(f"{at}, time of direct / by hand", times.ratio(OURS, HAND), 2.0),
        Target(f"{at}, time of direct / f in NumPy", times.ratio(OURS, F), 1.0),
        Target(f"{at}, from the function to the first Hessian", found.first[OURS], 2.0, "s"),
    ]
    for peer, name, limit in ((ASDEX, "asdex", 5.0), (SX, "CasADi", 15.0)):
        if peer in times:
            promised.append(Target(f"{at}, time of {name} / direct", times.ratio(peer, OURS), limit, at_least=True))
    return promised


def run(sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)) -> list[Part]:
    one_core()
    return [part for n in sizes for part in one_size(n)]


@click.command()
@click.option("--sizes", default="1000,10000,100000,1000000", show_default=True, help="Variables.")
def main(sizes: str) -> None:
    show(run(tuple(int(n) for n in sizes.split(","))))


if __name__ == "__main__":
    main()
