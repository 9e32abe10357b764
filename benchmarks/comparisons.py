"""The other problems against every tool that can express them."""

from __future__ import annotations

import click

from benchmarks.cases import Case
from benchmarks.contenders import one_core
from benchmarks.race import SX, race
from benchmarks.report import Part, show

CASES = [
    Case("burgers", 1_000), Case("burgers", 20_000), Case("burgers-2d", 100), Case("bratu", 10), Case("bratu", 25),
    Case("cavity", 22), Case("cavity", 100), Case("hyperelastic", 6), Case("minimal-surface", 150),
    Case("broyden", 1_000), Case("broyden", 20_000), Case("power-flow", 1), Case("power-flow", 100),
    Case("network", 1354), Case("network", 9241), Case("dispatch", 1354), Case("battery", 20), Case("battery", 160),
]  # fmt: skip
LARGE = [Case("hyperelastic", 16)]  # too large for a graph of scalars


def run() -> list[Part]:
    one_core()
    found: list[Part] = [race(case)[0] for case in CASES if case.installed]
    return found + [race(case, leave_out=(SX,))[0] for case in LARGE]


@click.command()
@click.argument("cases", nargs=-1)
def main(cases: tuple[str, ...]) -> None:
    """Race these cases, each PROBLEM:SIZE, or all."""
    one_core()
    split = (case.split(":") for case in cases)
    show([race(Case(name, int(size)))[0] for name, size in split] if cases else run())


if __name__ == "__main__":
    main()
