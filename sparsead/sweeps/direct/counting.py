"""What a search for arrays to do without counts, kernel by kernel: most of them are the same from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.kernel import Buffer, Kernel, reachable
from sparsead.kernels.linear import LinearKernel, LinearProgram
from sparsead.sweeps.operation_cost import computing

STORE, ROW_ENTRY, INITIAL = 1.0, 3.0, 1.0

Patterns = dict[Buffer, SparsityPattern]
T = TypeVar("T")
Times = dict[tuple[Buffer, str], np.ndarray]


class Counts:
    """Counts of kernels, each made once.

    Parameters
    ----------
    linear : LinearProgram
        Whose intermediate arrays may be done without.
    patterns : dict
        Where the derivative of each of them has entries.
    """

    def __init__(self, linear: LinearProgram, patterns: Patterns) -> None:
        self._arrays, self._source, self._patterns = set(linear.work), linear.source, patterns
        self._known: dict[tuple[Callable[[Any], Any], LinearKernel | Kernel], Any] = {}

    def pairs(self, kernels: Iterable[LinearKernel], buffer: Buffer) -> tuple[int, int]:
        """Return how many products replace the terms that read and write a buffer, and how many terms these are."""
        reads, writes = np.zeros(buffer.size, np.int64), np.zeros(buffer.size, np.int64)
        for times in [self._once(self._times, kernel) for kernel in kernels]:
            reads += times.get((buffer, "reads"), 0)
            writes += times.get((buffer, "writes"), 0)
        return int(reads @ writes), int(reads.sum() + writes.sum())

    def code(self, kernels: Iterable[LinearKernel], buffer: Buffer) -> int:
        """Return how many pairs of terms there are of which one reads and one writes a buffer: to be written."""
        terms = [t for kernel in kernels for t in kernel.terms]
        return sum(t.source is buffer for t in terms) * sum(t.target is buffer for t in terms)

    def length(self, kernels: Iterable[LinearKernel]) -> tuple[int, int]:
        """Return how many terms are written, and how many operations that their coefficients take."""
        kernels = list(kernels)
        return sum(len(k.terms) for k in kernels), sum(self._once(_operations, k) for k in kernels)

    def cost(self, linear: LinearProgram, stored: Iterable[Kernel] = ()) -> float:
        """Count coefficients, stores of those on x, row updates of those on intermediate arrays, initial values.

        Coefficients that are `stored` beforehand are counted, too.
        """
        beforehand = sum(self._once(_storing, kernel) for kernel in stored)
        total = 0.0
        for kernel in linear.kernels:
            for cost in self._once(self._costs, kernel):
                total += cost
        return beforehand + total + INITIAL * sum(self._patterns[b].nnz for b in linear.work)

    def _once(self, count: Callable[[Any], T], kernel: LinearKernel | Kernel) -> T:
        key = count, kernel
        if key not in self._known:
            self._known[key] = count(kernel)
        return self._known[key]

    def _times(self, kernel: LinearKernel) -> Times:
        """Return how often each element of an intermediate array is read, and written."""
        found: Times = {}
        for term in kernel.terms:
            for buffer, at, side in ((term.source, term.index, "reads"), (term.target, term.place, "writes")):
                if buffer in self._arrays:
                    times = np.bincount(at.array().reshape(-1), minlength=buffer.size)
                    found[buffer, side] = found.get((buffer, side), 0) + times
        return found

    def _costs(self, kernel: LinearKernel) -> list[float]:
        points = math.prod(kernel.domain)
        found = [points * computing(t.coefficient for t in kernel.terms)]
        for term in kernel.terms:
            if term.source is self._source:
                found.append(STORE * points)
            else:
                lengths = np.diff(self._patterns[term.source].indptr)
                found.append(ROW_ENTRY * float(lengths[term.index.array()].sum()))
        return found


def _operations(kernel: LinearKernel) -> int:
    return len(reachable(t.coefficient for t in kernel.terms))


def _storing(kernel: Kernel) -> float:
    return math.prod(kernel.domain) * computing(s.value for s in kernel.stores)
