"""The gradient of a lowered scalar function, as kernels again: reverse accumulation over the program."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from sparsead.kernels.kernel import Buffer, Kernel, Kernels, Load, Step, Store, filled_by, reachable, zeros
from sparsead.kernels.linear import LinearCall, LinearKernel
from sparsead.kernels.linearize import linearize
from sparsead.kernels.nothing import NOTHING, product
from sparsead.kernels.undivided import Linear
from sparsead.program.scalar import Expr

FEW = 32  # points of a loop that is too short to be done in several
MOST_AGAIN = 2  # times as many operations as in one loop, at most


def gradient(kernels: Kernels, again: bool = False, output: str = "g", whole: bool = False) -> Kernels:
    """Return kernels that compute the gradient of the (single) output with respect to the input `wrt`, into `output`.

    The kernels that compute the buffers which the partial derivatives read come first, then the transposed linear
    kernels, in reverse order, on cotangents (Griewank & Walther 2008, section 3.2). The cotangent of the output is 1.
    See `linearize` for `again` and `whole`.
    """
    linear = linearize(kernels, again, products=True, whole=whole)
    transposed = linear.transposed()
    cotangents = {kernels.wrt: Buffer(output, kernels.wrt.size, "output")}
    for buffer in linear.work:
        empty = NOTHING if linear.absorbing else 0.0
        cotangents[buffer] = Buffer(f"a{buffer.name}", buffer.size, "work", empty=empty)
    reverse = accumulated(transposed.kernels, {transposed.source: None, **cotangents}, linear.absorbing)
    if not any(cotangents[kernels.wrt] in filled_by(k) for k in reverse):
        reverse.append(zeros(cotangents[kernels.wrt]))
    return Kernels(kernels.wrt, cotangents[kernels.wrt], kernels.arguments, (*linear.primal.kernels, *reverse))


def accumulated(kernels: Iterable[Linear], tangents: Mapping[Buffer, Buffer | None], absorbing: bool) -> list[Step]:
    """Write linear kernels as steps that add tangents up, or cotangents where the kernels are transposed.

    Parameters
    ----------
    kernels : iterable of LinearKernel, LinearCall or Undivided
        In order.
    tangents : mapping
        The buffer that holds the tangent of a buffer; None for a number whose tangent is 1.
    absorbing : bool
        Of the linear program.
    """
    steps: list[Step] = []
    for kernel in kernels:
        if isinstance(kernel, LinearKernel):
            steps.append(_added(kernel, tangents, absorbing))
        elif isinstance(kernel, LinearCall):
            steps += kernel.steps(lambda b: _known(tangents[b]))
        else:
            steps += kernel.steps(tangents.__getitem__)
    return steps


def _known(buffer: Buffer | None) -> Buffer:
    assert buffer is not None, "a call is not the output of a scalar function"
    return buffer


def _added(kernel: LinearKernel, tangents: Mapping[Buffer, Buffer | None], absorbing: bool) -> Kernel:
    """Write the terms of a linear kernel as stores."""
    stores = []
    for term in kernel.terms:
        value: Expr = term.coefficient
        source = tangents[term.source]
        if source is not None:
            tangent = value.pool.leaf(Load(source, term.index))
            value = product(value, tangent) if absorbing else value * tangent
        stores.append(Store(_known(tangents[term.target]), term.place, value, adds=True))
    return Kernel(kernel.domain, tuple(_merged(stores)), kernel.ordered)


def _merged(stores: list[Store]) -> list[Store]:
    """Add up stores that go to the same place."""
    sums: dict[object, Store] = {}
    for store in stores:
        key = (store.buffer, store.place.key)
        known = sums.get(key)
        sums[key] = store if known is None else Store(store.buffer, store.place, known.value + store.value, adds=True)
    return list(sums.values())


def apart(step: Step) -> list[Step]:
    """Return a kernel as several, no two stores of which go to the same buffer, where that costs little.

    What neighbours add to one place keeps a loop from being vectorised; loops that each add one value to each place do
    not. What several of them need is computed in each.
    """
    if (
        not isinstance(step, Kernel)
        or step.ordered
        or math.prod(step.domain) < FEW
        or not all(s.place.is_affine_and_distinct for s in step.stores)
    ):
        return [step]
    rounds: list[list[Store]] = []
    met: Counter[Buffer] = Counter()
    for store in step.stores:
        if met[store.buffer] == len(rounds):
            rounds.append([])
        rounds[met[store.buffer]].append(store)
        met[store.buffer] += 1
    if sum(map(_cost, rounds)) > MOST_AGAIN * _cost(step.stores):
        return [step]
    return [Kernel(step.domain, tuple(stores)) for stores in rounds]


def _cost(stores: Iterable[Store]) -> int:
    return sum(e.op.cost for e in reachable(s.value for s in stores) if e.op is not None)
