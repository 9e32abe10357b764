"""Sweeps without a matrix: the value of the function, and a linear program applied to one vector."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from sparsead.emit.nest import Nest
from sparsead.emit.source import Source, literal
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.indexmap import recognise
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, Step, filled_by
from sparsead.kernels.linear import LinearCall, LinearKernel, LinearProgram, Term
from sparsead.kernels.nothing import NOTHING, absorbing
from sparsead.sweeps.folding import folded
from sparsead.sweeps.scatter_to_gather import owned
from sparsead.sweeps.storage import Storage

LONG_SUM = 256  # terms of a sum from which on it is written in groups


def value_sweep(kernels: Kernels, engine: Engine = DEFAULT_ENGINE) -> Sweep:
    """Return the sweep ``(x, arguments) -> y``."""
    source = engine.source("value")
    write_value(source, kernels, itertools.count())
    return Sweep(source, work_sizes(kernels), engine)


def product_sweep(linear: LinearProgram, name: str, engine: Engine = DEFAULT_ENGINE) -> Sweep:
    """Return the sweep ``(x, arguments, d_source) -> d_target``, one vector at a time."""
    source, counter = engine.source(name), itertools.count()
    write_value(source, linear.primal, counter)
    for buffer in (*linear.work, linear.target):
        write_zeros(source, source.buffer(buffer, tangent=True), buffer.size, empty_tangent(linear, buffer))
    sizes = work_sizes(linear.primal) | {f"d{b.name}": b.size for b in linear.work}
    for kernel in linear.kernels:
        if not isinstance(kernel, LinearKernel):
            steps = kernel.steps(lambda b: Buffer(f"d{b.name}", b.size, "work"))
            sizes |= {b.name: b.size for b in filled_by(steps[0])} if isinstance(kernel, LinearCall) else {}
            write_steps(source, steps, counter)
        else:
            _write_product(source, kernel, counter, linear)
    source.buffer(linear.source, tangent=True)
    return Sweep(source, sizes, engine)


def work_sizes(kernels: Kernels) -> dict[str, int]:
    """Return the sizes of the intermediate buffers by name."""
    return {b.name: b.size for b in kernels.work}


def write_value(source: Source, kernels: Kernels, counter: Iterator[int], but: Collection[Kernel] = ()) -> None:
    """Write the kernels of primal values, `but` some; operations that are not traced are called in between."""
    found = owned(kernels.kernels, but)
    for buffer in found.emptied:
        write_zeros(source, source.buffer(buffer), buffer.size, buffer.empty)
    write_steps(source, found.steps, counter, but)


def write_steps(source: Source, steps: Iterable[Step], counter: Iterator[int], but: Collection[Kernel] = ()) -> None:
    """Write steps, `but` some kernels; what they add to has to be empty before."""
    for step in steps:
        if isinstance(step, CallKernel):
            for buffer in (*step.operands, *step.filled):
                source.buffer(buffer)
            source.interrupt(step)
        elif step not in but:
            _write_kernel(source, step, counter)


def _write_kernel(source: Source, kernel: Kernel, counter: Iterator[int]) -> None:
    kernel = folded(kernel, f"cp{next(counter)}")
    nest = Nest(source, kernel.domain, counter, kernel.ordered)
    lines = stores(source, nest, kernel)
    nest.in_line = all(s.place.is_in_line and not s.adds for s in kernel.stores)
    with nest.body(disjoint=not kernel.adds):
        for line in lines:
            source.write(line)


def stores(source: Source, nest: Nest, kernel: Kernel) -> list[str]:
    """Return the statements that store what a kernel computes."""
    return [
        f"{source.buffer(s.buffer)}[{nest.index(s.place)}] {'+=' if s.adds else '='} {nest.value(s.value)}"
        for s in kernel.stores
    ]


def write_zeros(source: Source, name: str, size: int, zero: float = 0.0) -> None:
    """Write a loop that sets an array to zero, of either sign."""
    with source.loop(), source.block(f"for i in range({size}):"):
        source.write(f"{name}[i] = {literal(zero)}")


def write_padding(source: Source, storage: Storage, counter: Iterator[int]) -> None:
    """Write zeros to the places among the values of a matrix that no entry has."""
    if storage.padding.size:
        nest = Nest(source, storage.padding.shape, counter)
        name, place = source.array("data"), nest.index(recognise(storage.padding))
        with nest.body(disjoint=True):
            source.write(f"{name}[{place}] = 0.0")


def empty_tangent(linear: LinearProgram, buffer: Buffer) -> float:
    """Return what the tangents of a buffer are before anything is added to them."""
    return NOTHING if linear.absorbing and buffer is not linear.target else 0.0


def times(linear: LinearProgram, coefficient: str, tangent: str) -> str:
    """Return the code of a product with a tangent."""
    return absorbing(coefficient, tangent) if linear.absorbing else f"{coefficient} * {tangent}"


def plus(parts: Sequence[str]) -> str:
    """Return the code of a sum; a long one is added up in groups, for what reads it goes as deep as it is nested."""
    while len(parts) > LONG_SUM:
        parts = [f"({' + '.join(parts[k : k + LONG_SUM])})" for k in range(0, len(parts), LONG_SUM)]
    return " + ".join(parts)


def by_place(terms: Iterable[Term]) -> list[list[Term]]:
    """Group terms that go to the same place."""
    groups: dict[object, list[Term]] = {}
    for term in terms:
        groups.setdefault((term.target, term.place.key), []).append(term)
    return list(groups.values())


def _write_product(source: Source, kernel: LinearKernel, counter: Iterator[int], linear: LinearProgram) -> None:
    nest = Nest(source, kernel.domain, counter, kernel.ordered)
    lines, groups = [], by_place(kernel.terms)
    for group in groups:
        products = [
            times(linear, nest.value(t.coefficient), f"{source.buffer(t.source, tangent=True)}[{nest.index(t.index)}]")
            for t in group
        ]
        target = source.buffer(group[0].target, tangent=True)
        lines.append(f"{target}[{nest.index(group[0].place)}] += {plus(products)}")
    with nest.body(disjoint=nest.large and all_differ(group[0] for group in groups)):
        for line in lines:
            source.write(line)


def written_once(terms: Iterable[Term]) -> dict[Buffer, np.ndarray] | None:
    """Return which places terms write at their points, by target; None if they write one of them twice."""
    seen: dict[Buffer, np.ndarray] = {}
    for term in terms:
        written = seen.setdefault(term.target, np.zeros(term.target.size, dtype=np.bool_))
        place = term.place.array().reshape(-1)
        before = np.count_nonzero(written)
        written[place] = True
        if np.count_nonzero(written) != before + place.size:
            return None
    return seen


def all_differ(terms: Iterable[Term]) -> bool:
    """Tell whether no place is written twice, by any of the terms at any point."""
    return written_once(terms) is not None


def apply_columns(
    sweep: Sweep, inputs: dict[str, np.ndarray], source: str, target: str, v: np.ndarray, m: int
) -> np.ndarray:
    """Run a product sweep on each column of `v`, (n,) or (n, k); return (m,) or (m, k)."""
    if v.ndim == 1:
        out = np.empty(m)
        sweep(**inputs, **{source: np.ascontiguousarray(v, dtype=np.float64), target: out})
        return out
    columns = [apply_columns(sweep, inputs, source, target, column, m) for column in v.T]
    return np.stack(columns, axis=1) if columns else np.empty((m, 0))
