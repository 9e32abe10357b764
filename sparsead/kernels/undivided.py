"""The derivative of a kernel of one point that is not put together of partial derivatives.

Products with it take about as many operations as the kernel: tangents go through its expressions, or weights of all
that it stores go back through them together. One partial derivative for each pair of what is stored and what is read
takes as many times more as there are of either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass, replace

from sparsead.kernels.chain import Chain
from sparsead.kernels.in_lanes import Tangents
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, Kernel, Load, Step, Store, read_by, with_loads
from sparsead.kernels.linear import LinearCall, LinearKernel, Term
from sparsead.program.scalar import OPS, Expr, Pool, reachable

Tangent = Callable[[Buffer], Buffer | None]


@dataclass(frozen=True, eq=False)
class Undivided:
    """The derivative of a kernel with respect to some buffers; `divided` returns it as a linear kernel."""

    kernel: Kernel
    sources: tuple[Buffer, ...]
    divided: Callable[[], list[LinearKernel]]
    backward: bool = False
    terms: tuple[Term, ...] = ()

    @property
    def pairs(self) -> list[tuple[Buffer, Buffer]]:
        """Return target and source of every derivative."""
        pairs = dict.fromkeys((s.buffer, b) for s, found in _read_for(self.kernel, self.sources) for b in found)
        return [(b, a) for a, b in pairs] if self.backward else list(pairs)

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Whose values it reads."""
        return read_by(self.kernel)

    def towards(self, wanted: Container[Buffer]) -> Undivided | None:
        """Return what of it reaches some buffers."""
        alive = {target for target, _ in self.pairs if target in wanted}
        stores = tuple(s for s in self.kernel.stores if s.buffer in alive)
        kept = replace(self, kernel=replace(self.kernel, stores=stores, like=None))
        return replace(kept, sources=tuple(dict.fromkeys(b for _, b in kept.pairs))) if stores else None

    def transposed(self) -> Undivided:
        """Return the transposed one."""
        return replace(self, backward=not self.backward)

    def entries(self) -> list[LinearKernel]:
        """Return it as linear kernels."""
        return [k.transposed() if self.backward else k for k in self.divided()]

    def steps(self, tangent: Tangent, lanes: Tangents | None = None) -> list[Step]:
        """Return the kernel that takes tangents (or cotangents) of the sources to those of the targets.

        Parameters
        ----------
        tangent : callable
            From a buffer to the one that holds its tangent; None for a number whose tangent is 1.
        lanes : Tangents, optional
            How many tangents there are beside each other.
        """
        tangent = functools.cache(tangent)  # one buffer for each
        stores = self._back(tangent) if self.backward else self._forward(tangent)
        if not stores:
            return []
        kernel = Kernel(self.kernel.domain, tuple(stores))
        known = {tangent(b) for pair in self.pairs for b in pair}
        return [kernel if lanes is None else _in_lanes(kernel, known, lanes.width)]

    def _forward(self, tangent: Tangent) -> list[Store]:
        """Write the tangents of what is stored (Griewank & Walther 2008, section 3.1)."""
        found: dict[int, Expr] = {}
        for e in reachable(s.value for s in self.kernel.stores):
            moved = self._moved(e, found, tangent)
            if moved is not None and not moved.equals(0.0):
                found[e.serial] = moved
        return [
            Store(to, s.place, found.get(s.value.serial, s.value.pool.constant(0.0)), s.adds)
            for s in self.kernel.stores
            if (to := tangent(s.buffer)) is not None
        ]

    def _moved(self, e: Expr, found: dict[int, Expr], tangent: Tangent) -> Expr | None:
        """Return the tangent of an expression; None where it has none."""
        if isinstance(e.value, Load):
            return _read(e.value, tangent, e.pool) if e.value.buffer in self.sources else None
        if e.op is None or not _moving(e):
            return None
        if e.op.choice is not None:
            condition, *sides = e.op.choice(*e.args)
            moved = [found.get(side.serial, e.pool.constant(0.0)) for side in sides]
            return OPS["select"](condition, *moved) if any(side.serial in found for side in sides) else None
        rules = zip(e.args, e.op.partials, strict=True)
        parts = [rule(*e.args) * found[a.serial] for a, rule in rules if rule is not None and a.serial in found]
        return sum(parts[1:], parts[0]) if parts else None

    def _back(self, tangent: Tangent) -> list[Store]:
        """Write the weights of all that is stored, on their way back, together."""
        weighted = [_read(Load(s.buffer, s.place), tangent, s.value.pool) * s.value for s in self.kernel.stores]
        found = Chain(lambda load: load.buffer in self.sources).coefficients(sum(weighted[1:], weighted[0]))
        return [
            Store(to, leaf.value.index, weight, adds=True)
            for leaf, weight in found.items()
            if (to := tangent(leaf.value.buffer)) is not None
        ]


def _moving(e: Expr) -> list[Expr]:
    """Return the operands that a result moves with."""
    if e.op is None or (e.op in (OPS["subtract"], OPS["divide"]) and e.args[0] is e.args[1]):
        return []
    return [a for a, rule in zip(e.args, e.op.partials, strict=True) if rule is not None]


def _read_for(kernel: Kernel, sources: Collection[Buffer]) -> list[tuple[Store, frozenset[Buffer]]]:
    """Return what is stored, each with those of some buffers that it depends on."""
    nothing: frozenset[Buffer] = frozenset()
    found: dict[int, frozenset[Buffer]] = {}
    for e in reachable(s.value for s in kernel.stores):
        if isinstance(e.value, Load):
            found[e.serial] = frozenset({e.value.buffer}) if e.value.buffer in sources else nothing
        else:
            found[e.serial] = nothing.union(*(found[a.serial] for a in _moving(e)))
    return [(s, found[s.value.serial]) for s in kernel.stores]


def _read(load: Load, tangent: Tangent, pool: Pool) -> Expr:
    """Return the tangent of what is read."""
    buffer = tangent(load.buffer)
    return pool.constant(1.0) if buffer is None else pool.leaf(replace(load, buffer=buffer))


def _in_lanes(kernel: Kernel, tangents: set[Buffer | None], width: int) -> Kernel:
    """Return a kernel of one point for many tangents: each of them is a point."""

    def beside(index: IndexMap) -> IndexMap:
        return IndexMap((width,), width * index.offset, (1,))

    def read(load: Load) -> Load:
        here = IndexMap((width,), load.index.offset, (0,))
        return Load(load.buffer, beside(load.index) if load.buffer in tangents else here)

    values = with_loads((s.value for s in kernel.stores), read)
    stores = (replace(s, place=beside(s.place), value=v) for s, v in zip(kernel.stores, values, strict=True))
    return Kernel((width,), tuple(stores))


Linear = LinearKernel | LinearCall | Undivided


def may_stay_whole(steps: Iterable[Step]) -> bool:
    """Tell whether derivatives of kernels may stay undivided: no choice is next to what may be infinite."""
    ops = {e.op for step in steps if isinstance(step, Kernel) for e in reachable(s.value for s in step.stores) if e.op}
    return not (any(op.choice is not None for op in ops) and any(op.singular for op in ops))


def stays_whole(step: Step) -> bool:
    """Tell whether products with the derivative of a step are better taken without partial derivatives."""
    return isinstance(step, Kernel) and step.domain in ((), (1,))
