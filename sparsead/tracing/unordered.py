"""Parts whose order NumPy leaves open: what `np.partition` puts beside its places differs from machine to machine.

While a function is traced a part is sorted. The function may take sums or maxima of it, for which the order does not
matter. When the trace ends, the program is evaluated once more with the elements of each part in another order: where
that changes anything, the function is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sparsead.errors import UnsupportedOperationError, place
from sparsead.program.evaluate import Values, evaluate
from sparsead.program.nodes import Program, Ref
from sparsead.tracing.array import TracedArray
from sparsead.tracing.loops.tape import Tape, current_tape

AGREE = 1e-9  # sums in another order
SEED = 20_260_102


def left_open(array: Any, places: Sequence[int]) -> Any:
    """Return a traced array, and remember that its order along axis 0 is open between these places."""
    ref = (array * 1.0).ref  # an operation of its own, through which no reading goes
    ends = sorted({0, len(array), *places, *(k + 1 for k in places)})
    turned = np.concatenate([np.roll(np.arange(first, last), 1) for first, last in pairwise(ends)])
    if (turned != np.arange(len(array))).any():
        current_tape().left_open.append((ref, turned, place()))
    return TracedArray.of_ref(ref)


def require_order(tape: Tape, program: Program, point: Mapping[int, np.ndarray], conditions: Sequence[Ref]) -> None:
    """Refuse a function whose value, or a branch of which, depends on an order that is left open."""
    outputs = (program.output, *conditions)
    inputs = {serial: _near(values) for serial, values in point.items()}
    inputs |= {node.serial: _near(np.zeros(node.shape)) for node in program.inputs if node.serial not in inputs}
    for ref, turned, where in tape.left_open:
        known: Values = {}
        with np.errstate(all="ignore"):
            before = [evaluate(each, inputs, known) for each in outputs]
            if ref.node.serial not in known:
                evaluate(ref, inputs, known)
            values = known[ref.node.serial].copy()
            values[ref.index] = known[ref.node.serial][ref.index[turned]]
            changed: Values = {ref.node.serial: values}
            after = [evaluate(each, inputs, changed) for each in outputs]
        if not all(_agree(one, other) for one, other in zip(before, after, strict=True)):
            raise UnsupportedOperationError(
                "what depends on the order that np.partition leaves open, beside its places, is not supported in a "
                f"traced function.\n  {where}\n  np.sort has one order. The elements at the places, and sums, means "
                "and maxima of whole parts, do not depend on it."
            )


def _near(values: np.ndarray) -> np.ndarray:
    """Return a generic point near one."""
    moved = np.random.default_rng(SEED).uniform(0.01, 0.1, values.shape)
    return values + moved * np.where(values == 0.0, 1.0, np.abs(values))


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    scale = np.max(np.abs(one), initial=0.0, where=np.isfinite(one))
    return bool(np.allclose(one, other, rtol=AGREE, atol=AGREE * scale, equal_nan=True))
