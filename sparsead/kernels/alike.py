"""Equal parts of a program: lowered once, differentiated once, and then only given other buffers.

The steps of a time integration are the same operations on the values of the step before. Two arrays are alike if
what computes them from stored values is the same, operation by operation, index array by index array, constants
included, but for the stored values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

import numpy as np

from sparsead.kernels.fusion import is_factor
from sparsead.kernels.kernel import Buffer, Kernel, Load, Meeting, reachable, read_by
from sparsead.kernels.linear import LinearKernel
from sparsead.program.index import IDENTITIES, stored_part
from sparsead.program.nodes import Constant, Join, Map, Node, Sum, sources
from sparsead.program.scalar import Expr, Pool

Renamed = Mapping[Buffer, Buffer]


class Alike:
    """Finds arrays that are computed in the same way."""

    def __init__(self) -> None:
        self._keys: dict[int, tuple[np.ndarray, Hashable]] = {}

    def key(self, node: Node, buffers: Mapping[int, Buffer]) -> tuple[Hashable, list[Buffer]]:
        """Return a key that is equal for arrays that are alike, and the stored values that this one reads.

        Parameters
        ----------
        node : Node
            The array.
        buffers : mapping
            The stored values, by serial number.
        """
        number: dict[int, int] = {}
        read: list[Buffer] = []
        parts: list[Hashable] = []
        for below in _cone(node, buffers):
            number[below.serial] = len(number)
            if below.serial in buffers:
                read.append(buffers[below.serial])
                parts.append((below.size, is_factor(below)))
            else:
                reads = tuple(number[n.serial] for n in sources(below))
                parts.append((below.shape, below.boolean, reads, self.content(below)))
        return tuple(parts), read

    def content(self, node: Node) -> Hashable:
        """Return what a node does, but for what it reads."""
        match node:
            case Map():
                return node.op.name, tuple(self.index(r.index) for r in node.args)
            case Sum():
                return "sum", self.index(node.terms.index), self.index(node.place)
            case Join():
                return "join", self.index(node.owner), self.index(node.offset)
            case Constant():
                return "constant", _digest(node.value)
        return "alone", node.serial

    def index(self, index: np.ndarray) -> Hashable:
        """Return a key that is equal for equal index arrays."""
        known = self._keys.get(id(index))
        if known is None:
            known = self._keys[id(index)] = (index, _place(index) or _digest(index))
        return known[1]


def _cone(root: Node, buffers: Mapping[int, Buffer]) -> list[Node]:
    """Return what an array is computed from, down to stored values, operands first."""
    found: dict[int, Node] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node.serial not in found:
            found[node.serial] = node
            pending.extend(() if node.serial in buffers else sources(node))
    return [found[s] for s in sorted(found)]


def _place(index: np.ndarray) -> Hashable:
    """Return where a view of an identity begins, and its steps; None for other index arrays."""
    base = index.base
    if isinstance(base, np.ndarray) and base is IDENTITIES.get(base.size):
        return base.size, index.__array_interface__["data"][0], index.shape, index.strides
    return None


def _digest(array: np.ndarray) -> Hashable:
    core = np.ascontiguousarray(stored_part(array))
    return array.shape, core.shape, core.dtype.str, hashlib.blake2b(core.data, digest_size=16).digest()


def with_buffers(kernel: Kernel, renamed: Renamed) -> Kernel:
    """Return the kernel of an array that is alike."""
    values = _rebuilt([s.value for s in kernel.stores], renamed, Pool())
    stores = tuple(
        replace(s, buffer=renamed.get(s.buffer, s.buffer), value=value)
        for s, value in zip(kernel.stores, values, strict=True)
    )
    return Kernel(kernel.domain, stores, kernel.ordered, like=(kernel, renamed))


class Derivatives:
    """The linear kernels of kernels, made once for those that are alike.

    Parameters
    ----------
    make : callable
        Returns the linear kernels of a kernel, given the buffers that depend on x.
    """

    def __init__(self, make: Callable[[Kernel, set[Buffer]], list[LinearKernel]]) -> None:
        self._make = make
        self._known: dict[Hashable, list[LinearKernel]] = {}

    def of(self, kernel: Kernel, active: set[Buffer], alone: bool = False) -> list[LinearKernel]:
        """Return the linear kernels of a kernel, given the buffers that depend on x; `alone`: share nothing."""
        if kernel.like is None or alone:
            return self._made(kernel, active)
        first, renamed = kernel.like
        return [_renamed(k, renamed, kernel) for k in self._made(first, {b for b in renamed if renamed[b] in active})]

    def _made(self, kernel: Kernel, active: set[Buffer]) -> list[LinearKernel]:
        key = id(kernel), frozenset(b for b in read_by(kernel) if b in active)
        if key not in self._known:
            self._known[key] = self._make(kernel, active)
        return self._known[key]


def _renamed(linear: LinearKernel, renamed: Renamed, kernel: Kernel) -> LinearKernel:
    """Return a linear kernel of the kernel that this one is alike to, as one of its own."""
    coefficients = _rebuilt([t.coefficient for t in linear.terms], renamed, kernel.stores[0].value.pool)
    terms = tuple(
        replace(
            t,
            target=renamed.get(t.target, t.target),
            coefficient=coefficient,
            source=renamed.get(t.source, t.source),
        )
        for t, coefficient in zip(linear.terms, coefficients, strict=True)
    )
    return LinearKernel(linear.domain, terms, linear.ordered)


def _rebuilt(roots: list[Expr], renamed: Renamed, pool: Pool) -> list[Expr]:
    """Return expressions that read other buffers, in a pool that may know some of them."""
    new: dict[int, Expr] = {}
    for e in reachable(roots):
        if isinstance(e.value, Load):
            new[e.serial] = pool.leaf(replace(e.value, buffer=renamed.get(e.value.buffer, e.value.buffer)))
        elif e.op is None:
            new[e.serial] = pool.leaf(e.value) if isinstance(e.value, Meeting) else pool.constant(e.value)
        else:
            new[e.serial] = pool.simple(e.op, tuple([new[a.serial] for a in e.args]))
    return [new[root.serial] for root in roots]
