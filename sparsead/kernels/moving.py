"""Terms and expressions moved to the points of another domain."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import Buffer, Load, with_loads
from sparsead.kernels.linear import LinearKernel, Term
from sparsead.program.index import IndexArray, Shape
from sparsead.program.scalar import Expr, Pool

FEW = 8  # times as many points in all, from which on those that are wanted are looked up one by one
Constants = dict[Hashable, Buffer]  # gathered ones, by what was gathered


@dataclass(eq=False)
class Moving:
    """Moves index maps and expressions to the domain `onto`, whose point p is point ``points[p]`` of the old one.

    `points` are flat numbers; None stands for all of them, in order, over the same domain. Constants that are gathered
    get a `name` and a number.
    """

    points: IndexArray | None
    onto: Shape
    constants: Constants
    name: str = "cw"
    _known: dict[Hashable, IndexMap] = field(default_factory=dict)

    def index(self, index: IndexMap) -> IndexMap:
        """Return an index map over the new domain."""
        if self.points is None:
            return index
        if index.key not in self._known:
            self._known[index.key] = recognise(self._of(index, self.points).reshape(self.onto))
        return self._known[index.key]

    def _of(self, index: IndexMap, points: IndexArray) -> IndexArray:
        if FEW * points.size < math.prod(index.shape):
            return index.at(np.unravel_index(points, index.shape))
        return index.array().reshape(-1)[points]

    def expressions(self, terms: Iterable[Term], pool: Pool) -> list[Expr]:
        """Return the coefficients of terms over the new domain, in a pool."""
        return self.values((t.coefficient for t in terms), pool)

    def values(self, values: Iterable[Expr], pool: Pool) -> list[Expr]:
        """Return expressions over the new domain, in a pool."""
        return with_loads(values, self._load, self.index, pool)

    def terms(self, terms: Iterable[Term], pool: Pool) -> list[Term]:
        """Return terms over the new domain, their coefficients in a pool."""
        terms = list(terms)
        return [
            Term(t.target, self.index(t.place), coefficient, t.source, self.index(t.index))
            for t, coefficient in zip(terms, self.expressions(terms, pool), strict=True)
        ]

    def _load(self, load: Load) -> Load:
        """Return a load over the new domain; a constant that would be read through a table is gathered now."""
        index, value = self.index(load.index), load.buffer.value
        if value is None or not index.tables or self.points is None:
            return Load(load.buffer, index)
        key = load.buffer, index.key
        if key not in self.constants:
            gathered = np.ascontiguousarray(value.reshape(-1)[index.array()]).reshape(-1)
            self.constants[key] = Buffer(f"{self.name}{len(self.constants)}", gathered.size, "constant", gathered)
        return Load(self.constants[key], in_order(self.onto))


def in_order(shape: Shape) -> IndexMap:
    """Return the index map over a domain that numbers its points."""
    return IndexMap(shape, 0, tuple(math.prod(shape[k + 1 :]) if n > 1 else 0 for k, n in enumerate(shape)))


def summed(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Add up the coefficients of terms with equal places."""
    sums: dict[Hashable, Term] = {}
    for term in terms:
        key = (term.target, term.place.key, term.source, term.index.key)
        known = sums.get(key)
        sums[key] = term if known is None else replace(known, coefficient=known.coefficient + term.coefficient)
    return tuple(sums.values())


def at(kernel: LinearKernel, points: IndexArray, constants: Constants) -> LinearKernel:
    """Return a kernel at some of its points, given by their flat numbers."""
    return LinearKernel(points.shape, tuple(Moving(points, points.shape, constants).terms(kernel.terms, Pool())))


def together(first: LinearKernel, second: LinearKernel) -> LinearKernel:
    """Return one kernel of the terms of two over one domain."""
    pool = first.terms[0].coefficient.pool  # what is there may grow
    shared = second.terms[0].coefficient.pool is pool
    moved = second.terms if shared else Moving(None, second.domain, {}).terms(second.terms, pool)
    return LinearKernel(first.domain, summed([*first.terms, *moved]))
