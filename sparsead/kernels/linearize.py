"""Derivatives of kernels: each store becomes linear terms whose coefficients are expressions again."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import NoReturn

from sparsead.errors import UnsupportedOperationError
from sparsead.kernels.alike import Derivatives
from sparsead.kernels.chain import Chain
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import (
    Buffer,
    CallKernel,
    Kernel,
    Kernels,
    LinearKernel,
    LinearProgram,
    Load,
    Step,
    Term,
    filled_by,
    reachable,
    read_by,
    with_loads,
)
from sparsead.kernels.masks import without_zeros
from sparsead.kernels.meetings import added_up
from sparsead.kernels.nothing import is_absorbing
from sparsead.kernels.reciprocals import with_reciprocals
from sparsead.program.scalar import Pool


def linearize(kernels: Kernels, again: bool = False) -> LinearProgram:
    """Return the linear program of the derivative of the output with respect to the input `wrt`.

    With `again` its coefficients are going to be differentiated in their turn.

    Raises
    ------
    UnsupportedOperationError
        If the derivative of an operation that is not traced would have to be differentiated.
    """
    linear, without = _linear_kernels(kernels, absorbing=False)
    work = dict.fromkeys(t.target for k in linear for t in k.terms if t.target is not kernels.output)
    absorbing = is_absorbing(linear, work)
    if absorbing:
        linear, without = _linear_kernels(kernels, absorbing=True)
    if again:
        _check_coefficients(linear, without)
    primal = _needed(kernels, linear)
    return LinearProgram(kernels.wrt, kernels.output, tuple(linear), primal, absorbing=absorbing)


def _linear_kernels(kernels: Kernels, absorbing: bool) -> tuple[list[LinearKernel], dict[Buffer, str]]:
    """Return the linear kernels, and the buffers that depend on calls without a derivative, with such a call's name.

    In `absorbing` kernels, coefficients tell nothing from a computed zero.
    """
    active = {kernels.wrt}
    entries: dict[Buffer, CallKernel] = {}
    linear: list[LinearKernel] = []
    restated = restatements(kernels)
    without: dict[Buffer, str] = {}
    derivatives = Derivatives(functools.partial(_derivative, absorbing=absorbing, restated=restated))
    for step in kernels.kernels:
        if isinstance(step, CallKernel):
            entries |= dict.fromkeys(step.entries, step)
            found = [k for k in _call_kernels(step) if k.terms[0].source in active]
            if step.operation.carrier and step.result not in restated:
                without[step.result] = step.operation.name
        else:
            found = derivatives.of(step, active, alone=bool(restated))
            _check_second_derivatives(step, entries, active)
            names = [without[load.buffer] for load in step.loads if load.buffer in without]
            if names and not found:
                without |= dict.fromkeys(filled_by(step), names[0])
        active.update(t.target for k in found for t in k.terms)
        linear += found
    return _alive(linear, kernels.output), without


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


def _alive(linear: list[LinearKernel], output: Buffer) -> list[LinearKernel]:
    """Return the kernels without the terms that do not reach the output."""
    wanted = {output}
    kept = []
    for kernel in reversed(linear):
        alive: tuple[Term, ...] = ()
        while len(found := tuple(t for t in kernel.terms if t.target in wanted)) > len(alive):
            alive = found
            if kernel.ordered:  # it may read what it writes
                wanted.update(t.source for t in alive)
        wanted.update(t.source for t in alive)
        if alive:
            kept.append(replace(kernel, terms=alive))
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


def _call_kernels(call: CallKernel) -> list[LinearKernel]:
    """Return the derivative of a call: the entries that it fills are coefficients."""
    kernels = []
    for number, (operand, entries) in enumerate(zip(call.operands, call.entries, strict=True)):
        rows, columns = call.operation.structure(number)
        everywhere = IndexMap((entries.size,), 0, (1,))
        coefficient = Pool().leaf(Load(entries, everywhere))
        term = Term(call.result, recognise(rows), coefficient, operand, recognise(columns))
        kernels += [LinearKernel((entries.size,), (term,))] if entries.size else []
    return kernels


def _check_second_derivatives(kernel: Kernel, entries: dict[Buffer, CallKernel], active: set[Buffer]) -> None:
    for load in kernel.loads:
        call = entries.get(load.buffer)
        if call is not None and not call.operation.linear and any(b in active for b in call.operands):
            _refuse_second(call.operation.name)


def _check_coefficients(linear: list[LinearKernel], without: dict[Buffer, str]) -> None:
    for expr in reachable(t.coefficient for k in linear for t in k.terms):
        if isinstance(expr.value, Load) and expr.value.buffer in without:
            _refuse_second(without[expr.value.buffer])


def _refuse_second(name: str) -> NoReturn:
    raise UnsupportedOperationError(
        f"a second derivative of {name}, which is not traced, is not known.\n"
        "  A Hessian needs operations that are traced, or declared with linear=True."
    )


def _needed(kernels: Kernels, linear: list[LinearKernel]) -> Kernels:
    """Return the steps that fill the buffers which the coefficients read."""
    wanted = {
        e.value.buffer for k in linear for e in reachable(t.coefficient for t in k.terms) if isinstance(e.value, Load)
    }
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
