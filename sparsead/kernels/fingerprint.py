"""A hash of what a lowered program computes: equal for equal programs, in every process and on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from sparsead.kernels.kernel import CallKernel, Kernels, Load, Meeting, Step, reachable
from sparsead.program.scalar import Expr


def fingerprint(kernels: Kernels) -> str:
    """Return the hash of all kernels: domains, index maps, expressions, constants. Names of functions stay out."""
    state = hashlib.blake2b(digest_size=16)
    for step in kernels.kernels:
        for part in _call(step) if isinstance(step, CallKernel) else _kernel(step):
            state.update(part if isinstance(part, bytes) else repr(part).encode())
    return state.hexdigest()


def _call(step: CallKernel) -> Iterator[object]:
    buffers = (*step.operands, step.result, *step.filled)
    yield step.operation.name, [(b.name, b.size) for b in buffers]
    for part in step.operation.content:
        yield np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else part
    for buffer in step.operands:
        if buffer.value is not None:
            yield np.ascontiguousarray(buffer.value).tobytes()


def _kernel(step: Step) -> Iterator[object]:
    assert not isinstance(step, CallKernel)
    yield step.domain, step.ordered
    number: dict[int, int] = {}
    for expr in reachable(store.value for store in step.stores):
        number[expr.serial] = len(number)
        yield _expression(expr, number)
        if isinstance(expr.value, Load) and expr.value.buffer.value is not None:
            yield np.ascontiguousarray(expr.value.buffer.value).tobytes()
    for store in step.stores:
        yield store.buffer.name, store.buffer.size, store.place.key, number[store.value.serial], store.adds


def _expression(expr: Expr, number: dict[int, int]) -> object:
    if expr.op is not None:
        return expr.op.name, [number[a.serial] for a in expr.args]
    if isinstance(expr.value, Load):
        return expr.value.buffer.name, expr.value.buffer.size, expr.value.index.key
    if isinstance(expr.value, Meeting):
        return "met", expr.value.first.key, expr.value.second.key
    return float(expr.value).hex()
