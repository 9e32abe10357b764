"""Derivatives of kernels: each store becomes linear terms whose coefficients are expressions again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from sparsead.errors import UnsupportedOperationError
from sparsead.kernels.alike import Derivatives
from sparsead.kernels.chain import Chain
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import (
    Buffer,
    CallKernel,
    Kernel,
    Kernels,
    Load,
    Step,
    filled_by,
    reachable,
    read_by,
    with_loads,
)
from sparsead.kernels.linear import LinearCall, LinearKernel, LinearProgram, Term, connected, entries_of
from sparsead.kernels.masks import without_zeros
from sparsead.kernels.meetings import added_up
from sparsead.kernels.nothing import is_absorbing, may_absorb, may_close
from sparsead.kernels.reciprocals import with_reciprocals
from sparsead.kernels.undivided import Linear, Undivided, may_stay_whole, stays_whole
from sparsead.program.nodes import GivesProducts
from sparsead.program.scalar import Pool


def linearize(kernels: Kernels, again: bool = False, products: bool = False, whole: bool = False) -> LinearProgram:
    """Return the linear program of the derivative of the output with respect to the input `wrt`.

    With `again` its coefficients are going to be differentiated in their turn. With `products` it is meant for products
    only: operations that give products with their derivative are no matrices in it, and with `whole` kernels of one
    point are not either.

    Raises
    ------
    UnsupportedOperationError
        If the derivative of an operation that is not traced would have to be differentiated.
    """
    if not products:
        kernels = _with_entries(kernels)
    ends = (kernels.wrt,), (kernels.output,)
    linear, without, absorbing = _derivative_of(kernels, *ends, _is_absorbing(kernels.output), whole)
    if again:
        _check_coefficients(linear, without)
    primal = _needed(kernels, linear)
    return LinearProgram(kernels.wrt, kernels.output, tuple(linear), primal, absorbing=absorbing)


def for_products(linear: LinearProgram, kernels: Kernels) -> LinearProgram:
    """Return a program as it serves products best; it is the linear program of `kernels`."""
    if not any(isinstance(step, CallKernel) and isinstance(step.operation, GivesProducts) for step in kernels.kernels):
        return linear
    return linearize(kernels, products=True)


def derivative_of_a_turn(
    kernels: Kernels, sources: Sequence[Buffer], targets: Sequence[Buffer], divided: bool = False
) -> tuple[list[Linear], Kernels, bool]:
    """Return the derivative of what is done again and again, of some buffers with respect to others, for products.

    Unless it has to be `divided` into partial derivatives, some of it may be left as it is.

    Returns
    -------
    linear : list of LinearKernel, LinearCall or Undivided
    primal : Kernels
        What fills the buffers that coefficients read.
    absorbing : bool
        True where nothing has to be told from a computed zero, from one turn to the next as well.
    """
    linear, _, absorbing = _derivative_of(kernels, sources, targets, may_absorb, not divided)
    return linear, _needed(kernels, linear), absorbing


def _derivative_of(
    kernels: Kernels,
    sources: Sequence[Buffer],
    targets: Sequence[Buffer],
    absorbs: Callable[[list[Any]], bool],
    whole: bool,
) -> tuple[list[Linear], dict[Buffer, str], bool]:
    """Return the linear kernels, what depends on calls without a derivative, and whether they are absorbing ones."""
    if whole and may_stay_whole(kernels.kernels):
        linear, without = _linear_kernels(kernels, sources, targets, absorbing=False, whole=True)
        if not may_close(k for k in linear if not isinstance(k, Undivided)):
            return linear, without, False
    linear, without = _linear_kernels(kernels, sources, targets, absorbing=False)
    absorbing = absorbs(linear)
    if absorbing:
        linear, without = _linear_kernels(kernels, sources, targets, absorbing=True)
    return linear, without, absorbing


def _is_absorbing(output: Buffer) -> Callable[[list[Any]], bool]:
    def absorbs(linear: list[Any]) -> bool:
        return is_absorbing(
            linear, dict.fromkeys(target for k in linear for target, _ in k.pairs if target is not output)
        )

    return absorbs


def _with_entries(kernels: Kernels) -> Kernels:
    """Give calls that offer products room for the entries of their derivative."""

    def filled(step: Step) -> Step:
        if not isinstance(step, CallKernel) or step.entries or not isinstance(step.operation, GivesProducts):
            return step
        sizes = [step.operation.structure(k)[0].size for k in range(len(step.operands))]
        return replace(
            step, entries=tuple(Buffer(f"{step.result.name}e{k}", size, "work") for k, size in enumerate(sizes))
        )

    return replace(kernels, kernels=tuple(map(filled, kernels.kernels)))


def _linear_kernels(
    kernels: Kernels, sources: Iterable[Buffer], targets: Iterable[Buffer], absorbing: bool, whole: bool = False
) -> tuple[list[Linear], dict[Buffer, str]]:
    """Return the linear kernels, and the buffers that depend on calls without a derivative, with such a call's name.

    In `absorbing` kernels, coefficients tell nothing from a computed zero. Calls that have no room for the entries of
    their derivative stay calls.
    """
    active = set(sources)
    entries: dict[Buffer, CallKernel] = {}
    linear: list[Linear] = []
    restated = restatements(kernels)
    without: dict[Buffer, str] = {}
    replaced: dict[Buffer, str] = {}  # in coefficients; not in what is computed of them beforehand
    derivatives = Derivatives(functools.partial(_derivative, absorbing=absorbing, restated=restated))
    for step in kernels.kernels:
        if isinstance(step, CallKernel):
            entries |= dict.fromkeys(step.entries, step)
            found: list[Linear] = [*_call_kernels(step, active)]
            if step.operation.carrier and not step.operation.holds:
                (replaced if step.result in restated else without)[step.result] = step.operation.name
        else:
            plain = not any(b in without or b in entries for b in read_by(step))
            found = _undivided(step, active, derivatives) if whole and plain and stays_whole(step) else []
            found = found or [*derivatives.of(step, active, alone=bool(restated))]
            _check_second_derivatives(step, entries, active)
            names = [(without | replaced)[b] for b in read_by(step) if b in without or b in replaced]
            if names and not found:
                without |= dict.fromkeys(filled_by(step), names[0])
        active.update(target for k in found for target, _ in k.pairs)
        linear += found
    return _alive(linear, targets), without


def _undivided(kernel: Kernel, active: set[Buffer], derivatives: Derivatives) -> list[Linear]:
    """Return the derivative of a kernel for products alone."""
    sources = tuple(dict.fromkeys(b for b in read_by(kernel) if b in active))
    return [Undivided(kernel, sources, functools.partial(derivatives.of, kernel, set(active)))] if sources else []


def restatements(kernels: Kernels) -> dict[Buffer, Buffer]:
    """Return the results of calls without a derivative, each with the buffer of equal values that has one."""
    calls = [step for step in kernels.kernels if isinstance(step, CallKernel)]
    results = {id(step.operation): step.result for step in calls}
    return {results[id(c)]: step.result for step in calls for c in step.operation.restates if id(c) in results}


def _restating(terms: tuple[Term, ...], restated: dict[Buffer, Buffer]) -> list[Term]:
    """Let coefficients read the buffers that have a derivative."""
    if not restated:
        return list(terms)

    def replacement(load: Load) -> Load:
        return Load(restated.get(load.buffer, load.buffer), load.index)

    new = with_loads((t.coefficient for t in terms), replacement)
    return [replace(t, coefficient=c) for t, c in zip(terms, new, strict=True)]


def _derivative(
    kernel: Kernel, active: set[Buffer], absorbing: bool, restated: dict[Buffer, Buffer]
) -> list[LinearKernel]:
    """Return the derivative of a kernel, given the buffers that depend on x."""
    own = set(filled_by(kernel)) if kernel.ordered else set()
    terms = tuple(_terms(kernel, active.union(own), absorbing))
    whole = LinearKernel(kernel.domain, tuple(_restating(terms, restated)), kernel.ordered)
    return list(without_zeros(added_up(whole))) if any(t.source in active for t in terms) else []


def _alive(linear: list[Linear], targets: Iterable[Buffer]) -> list[Linear]:
    """Return the kernels without the terms that do not reach the targets."""
    wanted = set(targets)
    kept: list[Linear] = []
    for kernel in reversed(linear):
        if not isinstance(kernel, LinearKernel):
            alive_call = kernel.towards(wanted)
            if alive_call is not None:
                kept.append(alive_call)
                wanted.update(source for _, source in alive_call.pairs)
            continue
        alive = connected(kernel, wanted, backward=True)
        if alive.terms:
            kept.append(alive)
    return kept[::-1]


def _terms(kernel: Kernel, active: set[Buffer], absorbing: bool) -> list[Term]:
    chain = Chain(lambda load: load.buffer in active, absorbing)
    found = [
        (store, leaf.value, coefficient)
        for store in kernel.stores
        for leaf, coefficient in chain.coefficients(store.value).items()
    ]
    simplified = with_reciprocals(coefficient for _, _, coefficient in found)
    return [
        Term(store.buffer, store.place, coefficient, load.buffer, load.index)
        for (store, load, _), coefficient in zip(found, simplified, strict=True)
    ]


def _call_kernels(call: CallKernel, active: set[Buffer]) -> list[Linear]:
    """Return the derivative of a call: the entries that it fills are coefficients; without room for them, the call."""
    numbers = tuple(k for k, operand in enumerate(call.operands) if operand in active)
    if not call.entries:
        return [LinearCall(call, numbers)] if numbers else []
    kernels: list[Linear] = []
    for number, (operand, entries) in enumerate(zip(call.operands, call.entries, strict=True)):
        if entries.size and operand in active:
            everywhere = IndexMap((entries.size,), 0, (1,))
            kernels.append(entries_of(call, number, Pool().leaf(Load(entries, everywhere))))
    return kernels


def _check_second_derivatives(kernel: Kernel, entries: dict[Buffer, CallKernel], active: set[Buffer]) -> None:
    for load in kernel.loads:
        call = entries.get(load.buffer)
        if call is not None and not call.operation.linear and any(b in active for b in call.operands):
            _refuse_second(call.operation.name)


def _check_coefficients(linear: list[Linear], without: dict[Buffer, str]) -> None:
    for kernel in linear:  # each has numbers of its own for its expressions
        for expr in reachable(t.coefficient for t in kernel.terms):
            if isinstance(expr.value, Load) and expr.value.buffer in without:
                _refuse_second(without[expr.value.buffer])


def _refuse_second(name: str) -> NoReturn:
    raise UnsupportedOperationError(
        f"a second derivative of {name}, which is not traced, is not known.\n"
        "  A Hessian needs operations that are traced, or declared with linear=True."
    )


def _needed(kernels: Kernels, linear: list[Linear]) -> Kernels:
    """Return the steps that fill the buffers which the coefficients, and calls for products, read."""
    wanted = {
        e.value.buffer for k in linear for e in reachable(t.coefficient for t in k.terms) if isinstance(e.value, Load)
    }
    wanted.update(b for k in linear if not isinstance(k, LinearKernel) for b in k.reads)
    kept: list[Step] = []
    for step in reversed(kernels.kernels):
        if isinstance(step, CallKernel):
            part: Step = replace(step, filled=tuple(b for b in (step.result, *step.entries) if b in wanted))
        else:
            part = replace(step, stores=tuple(s for s in step.stores if s.buffer in wanted))
        if filled_by(part):
            kept.append(part)
            wanted.update(read_by(part))
    return Kernels(kernels.wrt, kernels.output, kernels.arguments, tuple(reversed(kept)))
