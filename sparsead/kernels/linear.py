"""Linear kernels, the derivatives of kernels, and the programs that they form.

A linear kernel holds the derivative of a kernel: terms ``d_target[place] += coefficient * d_source[index]``. Exchanging
the two sides of a term transposes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, Load, Step, Store, listed, moved
from sparsead.program.index import Shape
from sparsead.program.nodes import GivesProducts
from sparsead.program.scalar import Expr, Pool, spelled


@dataclass(frozen=True)
class Term:
    """At point i: ``d_target[place(i)] += coefficient(i) * d_source[index(i)]``."""

    target: Buffer
    place: IndexMap
    coefficient: Expr
    source: Buffer
    index: IndexMap

    def transposed(self) -> Term:
        """Return the term with its two sides exchanged."""
        return replace(self, target=self.source, place=self.index, source=self.target, index=self.place)

    def with_coefficient(self, text: str) -> str:
        """Return the term as text, given that of its coefficient."""
        return f"d{self.target}[{self.place}] += ({text}) * d{self.source}[{self.index}]"


@dataclass(frozen=True, eq=False)
class LinearKernel:
    """Terms over a common domain: a sparse matrix in implicit form; `ordered` as of the `Kernel`."""

    domain: Shape
    terms: tuple[Term, ...]
    ordered: bool = False

    @property
    def pairs(self) -> list[tuple[Buffer, Buffer]]:
        """Return target and source of every term."""
        return [(t.target, t.source) for t in self.terms]

    def transposed(self) -> LinearKernel:
        """Return the kernel of the transposed matrix; an ordered one runs backwards."""
        terms = tuple(t.transposed() for t in self.terms)
        return LinearKernel(self.domain, backwards(terms) if self.ordered else terms, self.ordered)

    def __str__(self) -> str:
        named, values = spelled(t.coefficient for t in self.terms)
        pairs = zip(self.terms, values, strict=True)
        return listed(self.domain, [*named, *(t.with_coefficient(v) for t, v in pairs)])


@dataclass(frozen=True, eq=False)
class LinearCall:
    """The derivative of a call that gives products with it, in place of its entries.

    `numbers` are the operands that depend on the source. Transposed it goes from the result to them.
    """

    call: CallKernel
    numbers: tuple[int, ...]
    backward: bool = False
    terms: tuple[Term, ...] = ()  # none: what asks for terms asks for a matrix

    @property
    def operands(self) -> tuple[Buffer, ...]:
        """The operands that depend on the source."""
        return tuple(self.call.operands[k] for k in self.numbers)

    @property
    def pairs(self) -> list[tuple[Buffer, Buffer]]:
        """Return target and source of every derivative."""
        result = self.call.result
        return [(b, result) if self.backward else (result, b) for b in self.operands]

    def transposed(self) -> LinearCall:
        """Return the transposed one."""
        return replace(self, backward=not self.backward)

    def steps(self, tangent: Callable[[Buffer], Buffer]) -> list[Step]:
        """Return the steps that take tangents (or cotangents) of the sources to those of the targets.

        Parameters
        ----------
        tangent : callable
            From a buffer to the one that holds its tangent.
        """
        call, operation = self.call, self.call.operation
        assert isinstance(operation, GivesProducts)
        if not self.backward:
            given = tuple(map(tangent, self.operands))
            product, result = operation.pushed(self.numbers), tangent(call.result)
            return [CallKernel(product, (*call.operands, *given), result, (), filled=(result,))]
        product = operation.pulled(self.numbers)
        size = sum(b.size for b in self.operands)
        result = Buffer(f"pulled{call.result.name}", size, "work")
        steps: list[Step] = [CallKernel(product, (*call.operands, tangent(call.result)), result, (), filled=(result,))]
        start = 0
        for operand in self.operands:
            share = Load(result, IndexMap((operand.size,), start, (1,)))
            everywhere = IndexMap((operand.size,), 0, (1,))
            store = Store(tangent(operand), everywhere, Pool().leaf(share), adds=True)
            steps += [Kernel((operand.size,), (store,))] if operand.size else []
            start += operand.size
        return steps

    def __str__(self) -> str:
        return (
            f"d{self.call.result} += derivative of {self.call.operation.name} * d({', '.join(map(str, self.operands))})"
        )


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Linear kernels in order, from tangents of `source` to tangents of `target`.

    `primal` holds the kernels that fill the buffers which the coefficients read. `symmetric` says that the matrix is
    a Hessian: each kernel's terms are second derivatives. In an `absorbing` one, products with tangents of
    intermediate arrays tell nothing from a computed zero: see `sparsead.kernels.nothing`. What takes time to find out
    about the kernels is kept in `known`, for programs that differ in `primal` alone.
    """

    source: Buffer
    target: Buffer
    kernels: tuple[Any, ...]  # LinearKernel; of a program of products LinearCall, too
    primal: Kernels
    symmetric: bool = False
    absorbing: bool = False
    known: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def work(self) -> list[Buffer]:
        """Buffers between source and target, in the order in which they are filled."""
        found = dict.fromkeys(target for k in self.kernels for target, _ in k.pairs)
        return [b for b in found if b is not self.target]

    def transposed(self) -> LinearProgram:
        """Return the program of the transposed matrix: terms exchanged, kernels in reverse."""
        kernels = tuple(k.transposed() for k in reversed(self.kernels))
        return replace(self, source=self.target, target=self.source, kernels=kernels, known={})

    def __str__(self) -> str:
        return "\n".join(map(str, self.kernels))


def reached(kernels: Iterable[LinearKernel], source: Buffer) -> list[LinearKernel]:
    """Return linear kernels without the terms that read tangents which no term writes: those are zero."""
    written = {source}
    kept = (connected(kernel, written) for kernel in kernels)
    return [kernel for kernel in kept if kernel.terms]


def connected(kernel: LinearKernel, known: set[Buffer], backward: bool = False) -> LinearKernel:
    """Return a kernel with those terms alone that read what is `known`, and add to this what they write.

    Backward: with those that write what is known, and what they read is added.
    """

    def ends(term: Term) -> tuple[Buffer, Buffer]:
        return (term.target, term.source) if backward else (term.source, term.target)

    terms: tuple[Term, ...] = ()
    while len(found := tuple(t for t in kernel.terms if ends(t)[0] in known)) > len(terms):
        terms = found
        if kernel.ordered:  # it may read what it writes
            known.update(ends(t)[1] for t in terms)
    known.update(ends(t)[1] for t in terms)
    return replace(kernel, terms=terms)


def backwards(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return terms for a walk through the domain in the opposite order."""
    turned = moved([t.coefficient for t in terms], IndexMap.backwards)
    return tuple(
        replace(t, place=t.place.backwards(), coefficient=coefficient, index=t.index.backwards())
        for t, coefficient in zip(terms, turned, strict=True)
    )
