"""Multiplications of accumulated Jacobians, beside the best elimination orders known: ``python -m benchmarks.counts``.

AlphaGrad (Lohoff and Neftci, 2024) searches for orders in which to eliminate the vertices of a computational graph,
one vertex for each elementary operation, and counts the products of two partial derivatives: a vertex with p edges
that come in and q that go out costs p times q, edges between vectors as many as their sparse blocks take. The partial
derivatives are given and not counted; one that is 1 or -1 counts like any other.

Here every multiplication and division is counted in what the prepared derivative computes: products of partial
derivatives, the partial derivatives themselves, and factors that are constants, each as often as it is done, once for
every point of a kernel. What the value of the function computes as well is left out, as there; products with 1 and -1
are not done. The last column leaves nothing out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

import sparsead as sad
from benchmarks.report import Cell, Part, Table, Target, show
from benchmarks.scalar_functions import (
    human_heart_dipole,
    option_price,
    propane_combustion,
    robot_arm,
    roe_flux_1d,
    roe_flux_3d,
)
from sparsead.kernels.kernel import Kernel, Load, reachable
from sparsead.kernels.linear import LinearKernel
from sparsead.kernels.pattern import detect
from sparsead.program.scalar import Expr
from sparsead.sweeps.direct.elimination import eliminated

PRODUCTS = {"multiply", "divide"}
EITHER_WAY = {"add", "multiply"}  # operations whose operands may change places


@dataclass(frozen=True)
class Task:
    """A function, a point where it is smooth, and the fewest multiplications that AlphaGrad found."""

    name: str
    f: Callable[[Any], Any]
    x: np.ndarray
    theirs: int


TASKS = (
    Task("RoeFlux_1d", roe_flux_1d, np.array([1.0, 0.2, -2.0, 1.1, 0.3, -3.0]), 320),
    Task("RoeFlux_3d", roe_flux_3d, np.array([0.1, 0.1, 0.2, 0.3, -0.5, 0.2, 0.2, 0.2, 0.4, -0.6]), 784),
    Task("HumanHeartDipole", human_heart_dipole, np.linspace(0.1, 0.9, 8), 148),
    Task("BlackScholes_Jacobian", sad.grad(option_price), np.array([1.0, 1.1, 0.05, 0.2, 1.0]), 311),
    Task("RobotArm_6DOF", robot_arm, np.linspace(0.1, 0.9, 6), 231),
    Task("PropaneCombustion", propane_combustion, np.linspace(0.1, 2.0, 11), 88),
)  # fmt: skip


@dataclass(frozen=True)
class Count:
    """Multiplications and divisions of the Jacobian's sweep, of those what the value computes too, and of the value."""

    sweep: int
    shared: int
    value: int

    @property
    def added(self) -> int:
        """What the Jacobian computes beside the value."""
        return self.sweep - self.shared


def counted(jac: Any) -> Count:
    """Count the products of a Jacobian that is accumulated directly."""
    linear = eliminated(jac.linear, detect(jac.linear)).linear
    numbers = _Numbers()
    sweep = Counter(numbers.products([*linear.primal.kernels, *linear.kernels]))
    value = Counter(numbers.products(jac.kernels.kernels))
    return Count(sweep.total(), len(sweep.keys() & value.keys()), value.total())


class _Numbers:
    """Numbers the values that kernels compute: equal expressions of equal elements are one, whatever the kernel."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def products(self, kernels: Iterable[Any]) -> Iterator[int]:
        """Return the products of kernels, point by point."""
        for kernel in kernels:
            roots = [s.value for s in kernel.stores] if isinstance(kernel, Kernel) else _coefficients(kernel)
            for point in range(math.prod(kernel.domain)):
                yield from self._products_at(point, reachable(roots))

    def _products_at(self, point: int, expressions: list[Expr]) -> Iterator[int]:
        found: dict[int, int] = {}
        for expr in expressions:
            operands = [found[a.serial] for a in expr.args]
            if expr.op and expr.op.name in EITHER_WAY:
                operands.sort()
            key = (expr.op.name, *operands) if expr.op else _leaf(expr.value, point)
            found[expr.serial] = self._known.setdefault(key, len(self._known))
            if expr.op and expr.op.name in PRODUCTS:
                yield found[expr.serial]


def _coefficients(kernel: LinearKernel) -> list[Expr]:
    return [term.coefficient for term in kernel.terms]


def _leaf(value: Any, point: int) -> Hashable:
    if isinstance(value, Load):
        return value.buffer.name, int(value.index.array().reshape(-1)[point])
    return float(value)


def run() -> list[Part]:
    rows: list[tuple[Cell, ...]] = []
    targets: list[Part] = []
    for task in TASKS:
        count = counted(sad.jacobian(task.f, task.x, mode="direct"))
        rows.append((task.name, task.x.size, count.value, task.theirs, count.added, count.sweep))
        targets.append(Target(f"{task.name}: multiplications of the Jacobian", count.added, task.theirs))
    columns = ("", "n", "of f", "best known order", "ours", "all in our sweep")
    note = (
        "Products of partial derivatives by the best order that AlphaGrad found, which counts no partial derivatives; "
        "ours: all multiplications and divisions of the Jacobian's sweep but those of f, partial derivatives included. "
        "Run by `python -m benchmarks.counts`."
    )
    return [Table("Multiplications of one Jacobian", columns, rows, note), *targets]


@click.command()
def main() -> None:
    show(run())


if __name__ == "__main__":
    main()
