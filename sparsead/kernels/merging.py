"""Kernels that read through the same tables are one: each table is read once, and what both compute computed once.

The sine and the cosine of the angles at some buses are asked for in two arrays; the products with real and imaginary
part of a sparse matrix are four sums over two sets of entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Kernel, Step, filled_by, reachable, read_by, with_loads
from sparsead.program.scalar import Pool

LONG_CODE = 200  # scalar operations of one kernel
MOST_ALIKE = 16  # kernels that are like others: beyond, the steps of a loop
NEAR = 16  # kernels that are looked at before each


def merged_steps(steps: Iterable[Step]) -> list[Step]:
    """Return steps that fill the same buffers with the same values, in fewer loops.

    Many parts of a program that are known to be alike stay apart: they are differentiated, and compiled, once.
    """
    steps = list(steps)
    if sum(isinstance(step, Kernel) and step.like is not None for step in steps) > MOST_ALIKE:
        return steps
    found: list[Step] = []
    for step in steps:
        number = _partner(step, found)
        if number is None:
            found.append(step)
        else:
            found[number] = _merged(found[number], step)
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
    pool, stores = Pool(), []
    for kernel in (first, second):
        values = with_loads((s.value for s in kernel.stores), lambda load: load, pool=pool)
        stores += [replace(s, value=value) for s, value in zip(kernel.stores, values, strict=True)]
    return Kernel(first.domain, tuple(stores))
