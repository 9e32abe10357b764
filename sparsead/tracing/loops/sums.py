"""Long sums of scalars, ``s = s + term`` in a loop: all terms at once, instead of a chain of additions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sparsead.program.index import NUMBER
from sparsead.program.scalar import Op
from sparsead.tracing.loops.cuts import RecurrenceError
from sparsead.tracing.loops.tape import LONG_SUM, Tape, take


@dataclass(frozen=True, eq=False)
class Part:
    """Terms of one signature and sign: term k is added to (or subtracted from) sum ``rows[k]``."""

    records: np.ndarray
    rows: np.ndarray
    sign: int


def uses(tape: Tape) -> np.ndarray:
    """Return how often each record is an operand or was stored."""
    n = len(tape)
    found = np.zeros(n, np.int64)
    arities = np.array([s.kind.arity if isinstance(s.kind, Op) else 0 for s in tape.signatures])
    arity = arities[take(tape.signature, np.arange(n))]
    for k, column in enumerate((tape.a, tape.b)):
        found += np.bincount(take(column, np.flatnonzero(arity > k)), minlength=n)
    for records in (*tape.stored, np.fromiter(tape.third.values(), NUMBER)):
        found += np.bincount(records, minlength=n)
    return found


def parts_of(tape: Tape, sums: np.ndarray, used: np.ndarray, labels: np.ndarray | None = None) -> list[Part]:
    """Split the terms of sums of sums into parts, by signature (or `labels`) and sign.

    A sum that is also used elsewhere is a term of its own. Running sums, one a term of the next, are a recurrence.
    """
    terms, signs, rows = _terms(tape, sums, used)
    if sums.size > 1 and np.isin(terms, sums).any():
        raise RecurrenceError
    known = take(tape.signature, terms) if labels is None else labels[terms]
    selections = [s for s in split(2 * known.astype(np.int64) + (signs < 0)) if not _are_zero(tape, terms[s])]
    return [Part(terms[s], rows[s], int(signs[s[0]])) for s in _even(selections)]


def _terms(tape: Tape, sums: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the terms of each sum, first to last, their signs, and which sum they belong to."""
    names = [s.kind.name if isinstance(s.kind, Op) and s.terms > 1 else "" for s in tape.signatures]
    signature, a, b = tape.signature, tape.a, tape.b
    terms: list[int] = []
    signs: list[int] = []
    ends: list[int] = []
    for record in sums.tolist():
        pending = [(record, 1)]
        while pending:
            current, sign = pending.pop()
            name = names[signature[current]]
            if not name or (used[current] > 1 and current != record):
                terms.append(current)
                signs.append(sign)
                continue
            if name != "negative":
                pending.append((b[current], -sign if name == "subtract" else sign))
            pending.append((a[current], -sign if name == "negative" else sign))
        ends.append(len(terms))
    rows = np.repeat(np.arange(sums.size), np.diff(ends, prepend=0))
    return np.array(terms, dtype=NUMBER), np.array(signs), rows


def _are_zero(tape: Tape, records: np.ndarray) -> bool:
    """Tell whether records are the literal 0.0, as in the ``s = 0.0`` with which a sum begins."""
    if not tape.is_literal(int(records[0])):
        return False
    return not any(tape.literals[k] for k in take(tape.a, records))


def split(labels: np.ndarray) -> list[np.ndarray]:
    """Return where each distinct label is, by first appearance."""
    if labels.size == 0:
        return []
    if (labels == labels[0]).all():
        return [np.arange(labels.size)]
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted(parts, key=lambda part: int(part[0]))


def _even(parts: list[np.ndarray]) -> list[np.ndarray]:
    """Cut parts to a common length where it divides all of them: the terms that one turn of a loop added.

    Terms of equal length run in one kernel and share what they compute.
    """
    length = math.gcd(*(part.size for part in parts))  # 0 if there are no parts
    if length < 2 or max(part.size for part in parts) > LONG_SUM * length:
        return parts
    return [part[k :: part.size // length] for part in parts for k in range(part.size // length)]
