"""Linear kernels, the derivatives of kernels, and the programs that they form.

A linear kernel holds the derivative of a kernel: terms ``d_target[place] += coefficient * d_source[index]``. Exchanging
the two sides of a term transposes it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sparsead.kernels.in_lanes import InLanes, Tangents
from sparsead.kernels.indexmap import IndexMap, recognise
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

    def of(self, terms: tuple[Term, ...]) -> LinearKernel:
        """Return the kernel of some of its terms; of all of them, itself: what is known of it holds."""
        return self if len(terms) == len(self.terms) else replace(self, terms=terms)

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

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Whose values it reads."""
        return self.call.operands

    def towards(self, wanted: Container[Buffer]) -> LinearCall | None:
        """Return what of it reaches some buffers."""
        return self if self.call.result in wanted else None

    def transposed(self) -> LinearCall:
        """Return the transposed one."""
        return replace(self, backward=not self.backward)

    def entries(self) -> list[LinearKernel]:
        """Return linear kernels with a term for each entry of the derivative, for whoever asks where those are."""
        kernels = [entries_of(self.call, number, Pool().constant(1.0)) for number in self.numbers]
        return [kernel.transposed() for kernel in kernels[::-1]] if self.backward else kernels

    def steps(self, tangent: Callable[[Buffer], Buffer], lanes: Tangents | None = None) -> list[Step]:
        """Return the steps that take tangents (or cotangents) of the sources to those of the targets.

        Parameters
        ----------
        tangent : callable
            From a buffer to the one that holds its tangent.
        lanes : Tangents, optional
            How many tangents there are beside each other, in buffers that are so many times as large.
        """
        call, operation = self.call, self.call.operation
        assert isinstance(operation, GivesProducts)
        product: Any = operation.pulled(self.numbers) if self.backward else operation.pushed(self.numbers)
        given = tuple(map(tangent, (call.result,) if self.backward else self.operands))
        width = 1 if lanes is None else lanes.width
        if lanes is not None:
            product = InLanes(product, len(call.operands), lanes)
        if not self.backward:
            result = tangent(call.result)
            return [CallKernel(product, (*call.operands, *given), result, (), filled=(result,))]
        result = Buffer(f"pulled{call.result.name}", width * sum(b.size for b in self.operands), "work")
        steps: list[Step] = [CallKernel(product, (*call.operands, *given), result, (), filled=(result,))]
        start = 0
        for operand in self.operands:
            size = width * operand.size
            share, everywhere = Load(result, IndexMap((size,), start, (1,))), IndexMap((size,), 0, (1,))
            store = Store(tangent(operand), everywhere, Pool().leaf(share), adds=True)
            steps += [Kernel((size,), (store,))] if size else []
            start += size
        return steps

    def __str__(self) -> str:
        return (
            f"d{self.call.result} += derivative of {self.call.operation.name} * d({', '.join(map(str, self.operands))})"
        )


def entries_of(call: CallKernel, number: int, coefficient: Expr) -> LinearKernel:
    """Return the linear kernel with a term for each entry of the derivative with respect to an operand."""
    rows, columns = call.operation.structure(number)
    term = Term(call.result, recognise(rows), coefficient, call.operands[number], recognise(columns))
    return LinearKernel((rows.size,), (term,) if rows.size else ())


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

    @property
    def has_calls(self) -> bool:
        """Whether it is one of products: there are calls in place of entries."""
        return any(isinstance(kernel, LinearCall) for kernel in self.kernels)

    def transposed(self) -> LinearProgram:
        """Return the program of the transposed matrix: terms exchanged, kernels in reverse."""
        kernels = tuple(k.transposed() for k in reversed(self.kernels))
        return replace(self, source=self.target, target=self.source, kernels=kernels, known={})

    def __str__(self) -> str:
        return "\n".join(map(str, self.kernels))


def with_terms(kernels: Iterable[Any]) -> list[LinearKernel]:
    """Return linear kernels, of calls those with their entries."""
    return [part for k in kernels for part in ([k] if isinstance(k, LinearKernel) else k.entries())]


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
    return kernel.of(terms)


def backwards(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return terms for a walk through the domain in the opposite order."""
    turned = moved([t.coefficient for t in terms], IndexMap.backwards)
    return tuple(
        replace(t, place=t.place.backwards(), coefficient=coefficient, index=t.index.backwards())
        for t, coefficient in zip(terms, turned, strict=True)
    )
