"""Methods of traced numbers that show machine code what they did, so that it does the same by itself from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.tracing.scalar import TracedScalar

NUMBER, FLOAT, INT = 1, 2, 3  # kinds of what an operator is given; 1 also where there is one operand
KINDS: dict[type, int] = {float: FLOAT, np.float64: FLOAT, int: INT}
REVERSED = ("add", "sub", "mul", "truediv")
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


@dataclass(frozen=True)
class Operator:
    """A method of traced numbers.

    Attributes
    ----------
    name : str
        The method.
    operands : int
        How many it has.
    swapped : bool
        Whether the other operand is the first.
    power : bool
        Whether the other operand is an exponent.
    """

    name: str
    operands: int = 2
    swapped: bool = False
    power: bool = False


OPERATORS = (
    Operator("__neg__", operands=1),
    Operator("__abs__", operands=1),
    Operator("__pow__", power=True),
    *(Operator(f"__{name}__") for name in (*REVERSED, *COMPARISONS)),
    *(Operator(f"__r{name}__", swapped=True) for name in REVERSED),
)


def showing(code: int, operator: Operator) -> Callable[..., Any]:
    """Return a method that does what `operator` does and shows it to machine code under a number."""
    method: Callable[..., Any] = getattr(TracedScalar, operator.name)

    def shown(self: TracedScalar, *others: Any) -> Any:
        tape = self.tape
        before, signatures = len(tape), len(tape.signatures)
        result = method(self, *others)
        if type(result) is not TracedScalar or result.tape is not tape:
            return result
        record = result.entry
        # One record more, and not the first of its signature, which depends on nothing but those of its operands
        if before <= record == len(tape) - 1 and tape.signature[record] < signatures:
            kind, operands = _operands(operator, self, *others)
            a, b = tape.a[record], tape.b[record]
            if (a, b) == operands:
                tape.learn(4 * code + kind, tape.signature[a], tape.signature[b], tape.signature[record])
        return result

    return shown


def _operands(operator: Operator, number: TracedScalar, other: Any = None) -> tuple[int, tuple[int | None, int | None]]:
    """Return of which kind the other operand is, and the records of both."""
    if operator.operands == 1:
        return NUMBER, (number.entry, 0)
    record: int | None
    if type(other) is TracedScalar:
        kind, record = NUMBER, other.entry
    else:
        kind = KINDS.get(type(other), 0)
        record = (number.tape.exponents if operator.power else number.tape.known).get(other) if kind else None
    return kind, (record, number.entry) if operator.swapped else (number.entry, record)
