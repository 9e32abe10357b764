"""The gradient of a lowered scalar function, as kernels again: reverse accumulation over the program."""

from __future__ import annotations

from sparsead.kernels.kernel import Buffer, Kernel, Kernels, LinearKernel, LinearProgram, Load, Store, filled_by, zeros
from sparsead.kernels.linearize import linearize
from sparsead.kernels.nothing import NOTHING, product
from sparsead.program.scalar import Expr


def gradient(kernels: Kernels, again: bool = False) -> Kernels:
    """Return kernels that compute the gradient of the (single) output with respect to the input `wrt`.

    The kernels that compute the buffers which the partial derivatives read come first, then the transposed linear
    kernels, in reverse order, on cotangents (Griewank & Walther 2008, section 3.2). The cotangent of the output is 1.
    """
    linear = linearize(kernels, again)
    transposed = linear.transposed()
    cotangents = {kernels.wrt: Buffer("g", kernels.wrt.size, "output")}
    for buffer in linear.work:
        empty = NOTHING if linear.absorbing else 0.0
        cotangents[buffer] = Buffer(f"a{buffer.name}", buffer.size, "work", empty=empty)
    reverse = [_store_cotangents(k, transposed, cotangents) for k in transposed.kernels]
    if not any(cotangents[kernels.wrt] in filled_by(k) for k in reverse):
        reverse.append(zeros(cotangents[kernels.wrt]))
    return Kernels(kernels.wrt, cotangents[kernels.wrt], kernels.arguments, (*linear.primal.kernels, *reverse))


def _store_cotangents(kernel: LinearKernel, linear: LinearProgram, cotangents: dict[Buffer, Buffer]) -> Kernel:
    """Write the terms of a transposed linear kernel as stores."""
    stores = []
    for term in kernel.terms:
        value: Expr = term.coefficient
        if term.source is not linear.source:
            cotangent = value.pool.leaf(Load(cotangents[term.source], term.index))
            value = product(value, cotangent) if linear.absorbing else value * cotangent
        stores.append(Store(cotangents[term.target], term.place, value, adds=True))
    return Kernel(kernel.domain, tuple(_merged(stores)), kernel.ordered)


def _merged(stores: list[Store]) -> list[Store]:
    """Add up stores that go to the same place."""
    sums: dict[object, Store] = {}
    for store in stores:
        key = (store.buffer, store.place.key)
        known = sums.get(key)
        sums[key] = store if known is None else Store(store.buffer, store.place, known.value + store.value, adds=True)
    return list(sums.values())
