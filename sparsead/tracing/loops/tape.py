"""The tape of scalar operations: what loop code computed, one short record per operation.

``for i in range(n): r[i] = x[i + 1] * x[i] - 2.0 * x[i]`` runs 10^5 scalar operations for 10^5 elements, so an
operation may cost a microsecond, not a node. Each record has a signature, equal for values that are computed by the
same operations of the same arrays: literals and positions are blanked in it. `grouping` turns the values of one
signature into one array operation.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.errors import Origin, user_origin
from sparsead.program.index import NUMBER
from sparsead.program.nodes import Node, Ref
from sparsead.program.scalar import OPS, Op
from sparsead.tracing.loops.columns import Columns
from sparsead.tracing.promotion import as_logic, loop

LONG_SUM = 16  # sums of more terms have one signature a line, whatever the terms: `sums` takes them apart
MOST_OPERANDS = 3  # of an operation on a tape
SUMS = ("add", "subtract", "negative")
BOOL, INTEGER, DOUBLE = np.dtype(np.bool_), np.dtype(np.int64), np.dtype(np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class Signature:
    """How a scalar is computed.

    Attributes
    ----------
    kind : Op, Node, float or None
        An operation; the array of which it is an element; a literal that all values of this signature share; None
        for a literal that may differ.
    boolean, integer : bool
        True for a truth value, and for what NumPy computes as an integer.
    terms : int
        How many terms it has when sums of sums are written as one sum.
    """

    kind: Op | Node | float | None
    boolean: bool = False
    terms: int = 1
    origin: Origin | None = None
    integer: bool = False


class Tape(Columns):
    """Records of scalar operations, numbered in the order in which they ran. Number 0 stands for "no operand".

    Attributes
    ----------
    signatures : list of Signature
        The distinct signatures.
    signature, a, b : array of int
        Per record: the number of its signature, and its operands. For an element of an array `a` is the flat
        element, for a literal its place in `literals`.
    third : dict
        The third operand of the records that have one.
    memo : dict
        What `grouping` built, by the records that it stands for.
    cells : object
        What `cuts` knows about values that were cut off.
    stored : list of array
        The records that were written to arrays.
    left_open : list
        The arrays whose order nobody defines: see `unordered`.
    closed : bool
        True when the trace is over.
    """

    def __init__(self) -> None:
        super().__init__()
        self.signatures: list[Signature] = []
        self.third: dict[int, int] = {}
        self.literals = array("d")
        self.memo: dict[bytes, Ref] = {}
        self.cells: Any = None
        self.stored: list[np.ndarray] = []
        self.left_open: list[tuple[Ref, np.ndarray, str]] = []
        self.closed = False
        self._numbers: dict[Hashable, int] = {}
        self._first_time = threading.RLock()  # a function may compute with its numbers in threads
        self.append(self._new(None, Signature(None)))

    # -- records --------------------------------------------------------------------------------------------
    def apply(self, op: Op, a: int, b: int = 0) -> int:
        """Record ``op(a)`` or ``op(a, b)`` and return its number."""
        s = self.signature
        number = self._numbers.get((op, s[a], s[b]))
        if number is None:
            return self._first(op, (a, b)[: op.arity])
        return self.append(number, a, b)

    def apply_to(self, op: Op, operands: Sequence[int]) -> int:
        """Record an operation on any number of operands."""
        if len(operands) < 3:
            return self.apply(op, *operands)
        s = self.signature
        number = self._numbers.get((op, *(s[r] for r in operands)))
        if number is None:
            return self._first(op, operands)
        record = self.append(number, operands[0], operands[1])
        self.third[record] = operands[2]
        return record

    def element(self, node: Node, element: int) -> int:
        """Record the reading of flat element `element` of `node`."""
        number = self._numbers.get(node)
        if number is None:
            number = self._new(node, Signature(node, node.boolean, integer=node.integer))
        return self.append(number, element)

    def literal(self, value: float) -> int:
        """Return the record of a number that may differ among the values of a group."""
        found = self.known.get(value)
        if found is not None:
            return found
        with self._first_time:
            self.literals.append(value)
            record = self.append(0, len(self.literals) - 1)
        if value:  # 0.0 and -0.0 are equal keys
            self.known[value] = record
        return record

    def exact(self, value: float) -> int:
        """Return the record of a number that is part of the signature, as the exponent of a power is."""
        found = self.exponents.get(value)
        if found is None:
            number = self._new(("exact", value), Signature(float(value)))
            found = self.exponents[value] = self.append(number)
        return found

    def is_boolean(self, record: int) -> bool:
        """Tell whether a record is a truth value."""
        return self.signatures[self.signature[record]].boolean

    def is_exact(self, record: int) -> bool:
        """Tell whether a record is a truth value or an integer."""
        signature = self.signatures[self.signature[record]]
        return signature.boolean or signature.integer

    def dtype(self, record: int) -> np.dtype[Any]:
        """Return the type that NumPy gives to what a record holds."""
        signature = self.signatures[self.signature[record]]
        return BOOL if signature.boolean else INTEGER if signature.integer else DOUBLE

    def is_literal(self, record: int) -> bool:
        """Tell whether a record is a number."""
        return self.signature[record] == 0

    # -- what happens once per signature --------------------------------------------------------------------
    def _new(self, key: Hashable, signature: Signature) -> int:
        with self._first_time:
            number = len(self.signatures)
            self.signatures.append(signature)
            self._numbers[key] = number
        return number

    def _first(self, op: Op, operands: Sequence[int]) -> int:
        """Record an operation whose signature was not met yet, or whose operands must be converted first."""
        numbers = [k for k in range(op.arity) if k not in op.conditions]
        if not op.boolean and numbers and all(self.is_exact(operands[k]) for k in numbers):
            return self.apply_exact(op, operands, tuple(self.dtype(r) for r in operands))
        typed = [self._typed(op, k, record) for k, record in enumerate(operands)]
        key = (op, *(self.signature[r] for r in typed))
        key += (0,) * (3 - len(key))  # as `apply` looks it up
        self._sign(key, op, typed, Signature(op, op.boolean))
        return self.apply_to(op, typed)

    def apply_exact(self, op: Op, operands: Sequence[int], kinds: tuple[Any, ...]) -> int:
        """Record an operation on truth values and integers only: NumPy decides what it computes."""
        if op.boolean:
            return self.apply_to(op, operands)
        dtype = loop(op, kinds)
        if dtype == np.bool_:
            typed = [self._typed(OPS["logical_not"], 0, r) for r in operands]
            return int(as_logic(op, typed, lambda used, *records: self.apply_to(used, records)))
        typed = [self._typed(op, k, record) for k, record in enumerate(operands)]
        key = (op, dtype, *(self.signature[r] for r in typed))
        self._sign(key, op, typed, Signature(op, integer=dtype.kind == "i"))
        record = self.append(self._numbers[key], *typed[:2])
        if len(typed) > 2:
            self.third[record] = typed[2]
        return record

    def _sign(self, key: Hashable, op: Op, operands: Sequence[int], signature: Signature) -> None:
        """Give the operations of one kind on operands of one kind a number."""
        with self._first_time:
            if key in self._numbers:
                return
            below = [self.signatures[self.signature[r]].terms for r in operands]
            terms = sum(below) if op.name in SUMS else 1
            origin = user_origin()
            kind = Signature(signature.kind, signature.boolean, min(terms, LONG_SUM + 1), origin, signature.integer)
            long = (op, "long", origin, signature.integer)
            if terms <= LONG_SUM:
                self._new(key, kind)
            else:
                self._numbers[key] = self._numbers[long] if long in self._numbers else self._new(long, kind)

    def _typed(self, op: Op, k: int, record: int) -> int:
        """Turn a truth value to 0.0 or 1.0 where a number is expected, a number to a truth value; fix exponents."""
        wanted = k in op.conditions
        if op.name == "power" and k == 1 and self.is_literal(record):
            return self.exact(self.literals[self.a[record]])
        if self.is_boolean(record) == wanted:
            return record
        if wanted:
            return self.apply(OPS["not_equal"], record, self.literal(0.0))
        return self.apply_to(OPS["select"], (record, self.literal(1.0), self.literal(0.0)))


def take(column: array[int], records: np.ndarray) -> np.ndarray:
    """Gather from a column of a tape. No view of it may outlive the call: it could not grow any more."""
    return np.frombuffer(column, dtype=NUMBER)[records]


class _Current(threading.local):
    """The tape of the trace that runs in this thread, and how many traces it is in."""

    tape: Tape | None = None
    depth = 0


_current = _Current()


def current_tape() -> Tape:
    """Return the tape of the trace that runs in this thread."""
    tape = _current.tape
    if tape is None:
        tape = _current.tape = Tape()
    return tape


@contextmanager
def new_tape() -> Iterator[Tape]:
    """Let this thread record on a tape of its own inside the block; a trace within a trace goes on with its tape."""
    before, depth = _current.tape, _current.depth
    tape = before if depth and before is not None else Tape()
    _current.tape, _current.depth = tape, depth + 1
    tape.opened()
    try:
        yield tape
    finally:
        _current.tape, _current.depth = before, depth
        tape.closed = not depth
        if tape.closed:
            tape.opened(False)


def is_tracing() -> bool:
    """Tell whether this thread runs a function on traced values now."""
    return _current.depth > 0
