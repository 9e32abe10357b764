"""The other problems against every tool that can express them."""

from __future__ import annotations

import click

from benchmarks.cases import Case
from benchmarks.contenders import one_core
from benchmarks.race import SX, race
from benchmarks.report import Part, show

CASES = [
    Case("burgers", 1_000), Case("burgers", 20_000), Case("burgers-2d", 100), Case("bratu", 10), Case("bratu", 25),
    Case("cavity", 22), Case("cavity", 100), Case("hyperelastic", 6), Case("hyperelastic", 16),
    Case("minimal-surface", 150), Case("broyden", 1_000), Case("broyden", 20_000), Case("power-flow", 1),
    Case("power-flow", 100), Case("network", 1354), Case("network", 9241), Case("dispatch", 1354), Case("battery", 20),
    Case("battery", 160), Case("bundle", 5_000),
]  # fmt: skip
LEFT_OUT = {Case("hyperelastic", 16): (SX,)}  # too large for a graph of scalars
PARTS = {f"{case.name}-{case.size}": case for case in CASES}


def run(case: Case) -> list[Part]:
    """Race one case, if its package is installed."""
    one_core()
    return [race(case, LEFT_OUT.get(case, ()))[0]] if case.installed else []


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Race these cases, each PROBLEM-SIZE, or all."""
    for name in names or PARTS:
        problem, _, size = name.rpartition("-")
        show(run(Case(problem, int(size))))


if __name__ == "__main__":
    main()
