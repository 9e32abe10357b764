"""Puts machine code in place of the methods with which loop code is traced; without it all is as well, but slower."""

from __future__ import annotations

import functools
from typing import Any

from sparsead.emit.entry import METH_FASTCALL, METH_NOARGS, machine_code
from sparsead.emit.recorder import METH_O, Recorder, offset_of
from sparsead.tracing.array import TracedArray
from sparsead.tracing.learning import OPERATORS, showing
from sparsead.tracing.loops import columns
from sparsead.tracing.loops.tape import Tape
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.storage import Storage
from sparsead.tracing.subclasses import TracedSubclass

SLOTS: dict[str, tuple[type, str]] = {  # the names in the assembly
    "words": (Tape, "words"), "entry": (TracedScalar, "entry"), "tape": (TracedScalar, "tape"),
    "storage": (TracedArray, "storage"), "positions": (TracedArray, "positions"), "home": (Storage, "home"),
    "pending": (Storage, "pending"), "written": (Storage, "tape"), "values": (Storage, "values"),
    "source": (Storage, "source"), "reading": (Storage, "notes"), "refuse_write": (Storage, "refuse_write"),
    "storage_dtype": (Storage, "dtype"),
}  # fmt: skip


@functools.cache  # CPython keeps no reference to what machine code needs
def recorder() -> Recorder:
    """Return the machine code."""
    places: dict[str, int] = {name: value for name, value in vars(columns).items() if type(value) is int}
    places |= {name: offset_of(*slot) for name, slot in SLOTS.items()}
    literals = {False: columns.KNOWN, True: columns.EXPONENTS}
    operators = {o.name: (o.operands, o.swapped, literals[o.power]) for o in OPERATORS}
    return Recorder(operators, places, TracedScalar, columns.machine.words)


@functools.cache
def methods() -> dict[bool, dict[tuple[type, str], Any]]:
    """Return the methods of traced numbers and arrays that are replaced: those in Python, and those of machine code."""
    code = recorder()
    python: dict[tuple[type, str], Any] = {(TracedScalar, o.name): getattr(TracedScalar, o.name) for o in OPERATORS}
    fast: dict[tuple[type, str], Any] = {}
    for operator in OPERATORS:
        convention = METH_NOARGS if operator.operands == 1 else METH_O
        slow = showing(code.number(operator.name), operator)
        fast[TracedScalar, operator.name] = code.method(TracedScalar, operator.name, slow, convention)
    for name, called, convention in (("get", "__getitem__", METH_O), ("set", "__setitem__", METH_FASTCALL)):
        slow = python[TracedArray, called] = getattr(TracedArray, called)
        fast[TracedArray, called] = code.method(TracedArray, name, slow, convention, called)
        # A class of the user's may put anything into attributes of any name, which machine code must not meet
        fast[TracedSubclass, called] = python[TracedSubclass, called] = slow
    return {False: python, True: fast}


def use(machine_code: bool) -> None:
    """Put one or the other of the methods in place."""
    for (kind, name), method in methods()[machine_code].items():
        setattr(kind, name, method)
    columns.machine.runs = machine_code


def load() -> None:
    """Put the machine code in place, where there is any."""
    if machine_code() is not None:
        use(machine_code=True)


columns.machine.load = load
