"""Kernels that read through the same tables are one: each table is read once, and what both compute computed once.

The sine and the cosine of the angles at some buses are asked for in two arrays; the products with real and imaginary
part of a sparse matrix are four sums over two sets of entries. Of any length are kernels of values and of their
derivatives, which were built on the same expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Kernel, Step, filled_by, reachable, read_by, with_loads
from sparsead.program.scalar import Expr, Pool

LONG_CODE = 200  # scalar operations of one kernel
MOST_ALIKE = 16  # kernels that are like others: beyond, the steps of a loop
NEAR = 16  # kernels that are looked at before each
WORTH = 16  # cost of the shared operations from which on one loop beats two simpler ones; an exponential costs 20


def merged_steps(steps: Iterable[Step]) -> list[Step]:
    """Return steps that fill the same buffers with the same values, in fewer loops.

    Many parts of a program that are known to be alike stay apart: they are differentiated, and compiled, once.
    """
    steps = list(steps)
    if sum(isinstance(step, Kernel) and step.like is not None for step in steps) > MOST_ALIKE:
        return steps
    found: list[Step] = []
    latest: dict[object, int] = {}  # the step that fills a buffer, and that has expressions over a domain
    for step in steps:
        number = _sibling(step, found, latest)
        if number is None:
            number = _partner(step, found)
        if number is None:
            number = len(found)
            found.append(step)
        else:
            found[number] = _merged(found[number], step)
        latest.update(dict.fromkeys(filled_by(step), number))
        latest[_basis(found[number])] = number
    return found


def _partner(step: Step, before: list[Step]) -> int | None:
    """Return the number of the step before that a step may run together with, if there is one."""
    if not isinstance(step, Kernel) or step.ordered:
        return None
    needed, added = set(read_by(step)), {s.buffer for s in step.stores if s.adds}  # single stores go in any order
    for number in reversed(range(max(len(before) - NEAR, 0), len(before))):
        other = before[number]
        if needed.intersection(filled_by(other)):
            return None
        if isinstance(other, Kernel) and _share(other, step):
            return number
        if added.intersection(filled_by(other)):
            return None
    return None


def _sibling(step: Step, before: list[Step], latest: Mapping[object, int]) -> int | None:
    """Return the number of the step before that computes much of what a step computes, if that may run so early."""
    if not isinstance(step, Kernel) or step.ordered or any(s.adds for s in step.stores):
        return None
    number = latest.get(_basis(step))
    if number is None or any(latest.get(buffer, -1) >= number for buffer in read_by(step)):
        return None
    other = before[number]
    if not isinstance(other, Kernel) or other.ordered or _basis(other) != _basis(step):
        return None
    values = [[s.value for s in kernel.stores] for kernel in (step, other)]
    return number if shared_cost(*values) >= WORTH else None


def _basis(step: Step) -> object:
    """Return what kernels have in common that are built on the same expressions over the same points."""
    return (step.domain, id(step.stores[0].value.pool)) if isinstance(step, Kernel) else step


def shared_cost(first: Iterable[Expr], second: Iterable[Expr]) -> float:
    """Return the cost of the operations that expressions of one pool have in common."""
    known = {e.serial for e in reachable(first)}
    return sum(e.op.cost for e in reachable(second) if e.op and e.serial in known)


def _share(first: Kernel, second: Kernel) -> bool:
    if first.domain != second.domain or first.ordered:
        return False
    length = sum(len(reachable(s.value for s in kernel.stores)) for kernel in (first, second))
    return length <= LONG_CODE and bool(_tables(first) & _tables(second))


def _tables(kernel: Kernel) -> set[IndexMap]:
    maps = [*(s.place for s in kernel.stores), *(load.index for load in kernel.loads)]
    return {index for index in maps if index.tables}


def _merged(first: Step, second: Step) -> Kernel:
    assert isinstance(first, Kernel) and isinstance(second, Kernel)
    if _basis(first) == _basis(second):
        return Kernel(first.domain, first.stores + second.stores)
    pool, stores = Pool(), []
    for kernel in (first, second):
        values = with_loads((s.value for s in kernel.stores), lambda load: load, pool=pool)
        stores += [replace(s, value=value) for s, value in zip(kernel.stores, values, strict=True)]
    return Kernel(first.domain, tuple(stores))
