"""Calls from Python that are looked at and carried out by machine code: half a microsecond instead of six.

A sweep of a small system takes less time than Python needs for looking at one array. So the look is compiled too: a
function of CPython's fast calling convention reads the headers of the arrays, and runs the sweeps if all is plain:
NumPy arrays (no subclass) of float64 and of the right shape, in C order or of one axis, floats, fixed arguments that
are the very objects of the preparation, fixed arrays that hold the same bytes, outputs that can be written to and share
no memory with anything else. It returns True then. In all other cases it has done nothing and returns False: the
general way has the conversions and the messages.

One set of work arrays is enough: Python's lock is held while a small system is computed, and a call that comes while
another thread computes a large one, without the lock, returns False as well.
"""

from __future__ import annotations

import ctypes
import functools
import math
import platform
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.emit.address import HEADER, address
from sparsead.emit.entry_code import PLAIN_AND_BOUND
from sparsead.emit.frame import Frame

MOST = 128  # arguments and outputs of a call
SMALL = 1 << 13  # elements of all arrays of a sweep up to which Python's lock is held
C_ORDER, ALIGNED, WRITEABLE = 0x1, 0x100, 0x400  # NumPy's C interface
METH_FASTCALL, METH_NOARGS = 0x80, 0x4  # CPython's C interface
RECORD, RECORDS = 10, 16  # words that describe an argument, and where the first is
DOUBLE = np.dtype(np.float64)
LAYOUT = {  # offsets in objects, in bytes
    "type": HEADER - 8, "data": HEADER, "ndim": HEADER + 8, "shape": HEADER + 16, "strides": HEADER + 24,
    "dtype": HEADER + 40, "flags": HEADER + 48,
}  # fmt: skip


@dataclass(frozen=True)
class Slot:
    """What one position of a call takes: a float64 array of a shape, one fixed object, or an array with these bytes."""

    shape: tuple[int, ...] = ()
    fixed: Any = None
    is_fixed: bool = False
    written: bool = False
    known: np.ndarray | None = None  # contiguous, of numbers

    @classmethod
    def of(cls, known: np.ndarray) -> Slot:
        """Return what takes arrays that are equal to one, byte for byte."""
        return cls(known.shape, known=known)

    @property
    def elements(self) -> int:
        """How many of 8 bytes are looked at."""
        return 0 if self.is_fixed else math.prod(self.shape)

    @property
    def may_be_copied(self) -> bool:
        """Whether an array whose elements are not side by side, such as a column of a table, is read from a copy."""
        return len(self.shape) == 1 and self.known is None and not self.written

    @property
    def words(self) -> list[int]:
        """The record of it, but for the addresses of the shape and of room for a copy."""
        fixed, axes = id(self.fixed) if self.is_fixed else 0, len(self.shape)
        if self.known is not None:
            dtype = self.known.dtype
            return [fixed, axes, 0, 0, self.known.nbytes, 0, address(self.known), id(dtype), dtype.itemsize, 0]
        flags = C_ORDER | ALIGNED | WRITEABLE if self.written else ALIGNED if self.may_be_copied else C_ORDER | ALIGNED
        return [fixed, axes, 0, flags, 8 * math.prod(self.shape), self.written, 0, id(DOUBLE), 8, 0]


class _Words(np.ndarray):
    """Numbers that machine code reads, and what they point to."""

    alive: Any


def plain_call(
    slots: Sequence[Slot], sweeps: Sequence[tuple[Sequence[Frame], Sequence[int]]], small: bool = True
) -> Callable[..., bool] | None:
    """Return a function that runs sweeps if its arguments are plain, and tells whether; None if there is none.

    Parameters
    ----------
    slots : sequence of Slot
        The positions of the call.
    sweeps : sequence of (frames, positions)
        What to run: the functions of a sweep, and the positions of the arrays that it is given.
    small : bool
        Whether it takes so little time that other threads may wait.
    """
    code = machine_code()
    if code is None or len(slots) > MOST or not all(frames for frames, _ in sweeps):
        return None
    return code.function("plain", METH_FASTCALL, _words(slots, sweeps, small))


def bound_call(
    sweeps: Sequence[tuple[Sequence[Frame], Sequence[int]]], arrays: Sequence[np.ndarray]
) -> Callable[[], None] | None:
    """Return a function without arguments that runs sweeps on these very arrays; None where there is no such way."""
    code = machine_code()
    if code is None or not all(frames for frames, _ in sweeps):
        return None
    for frames, positions in sweeps:
        for frame in frames:
            for place, position in zip(frame.places, positions, strict=True):
                frame.table[place] = address(arrays[position])
    words = _words([], sweeps)
    words.alive = words.alive, tuple(arrays)
    return code.function("bound", METH_NOARGS, words)


def _words(
    slots: Sequence[Slot], sweeps: Sequence[tuple[Sequence[Frame], Sequence[int]]], small: bool = True
) -> _Words:
    """Write down what `plain` and `bound` read."""
    moves, steps = [], []
    for frames, positions in sweeps:
        for frame in frames:
            start = address(frame.table)
            moves += [(start + 8 * place, position) for place, position in zip(frame.places, positions, strict=True)]
            steps.append((frame.entry, start))
    lists = [np.array(pairs or [(0, 0)], dtype=np.int64) for pairs in (moves, steps)]
    shapes = [np.array([*slot.shape, 0], dtype=np.int64) for slot in slots]
    words = np.zeros(RECORDS + RECORD * len(slots), dtype=np.int64).view(_Words)
    kinds = (np.ndarray, float, np.float64, DOUBLE, True, False)
    api = ctypes.pythonapi
    unlocking = (0, 0) if small else (pointer(api.PyEval_SaveThread), pointer(api.PyEval_RestoreThread))
    words[:RECORDS] = [
        len(slots), *(id(kind) for kind in kinds), len(moves), address(lists[0]), len(steps), address(lists[1]),
        pointer(api.Py_IncRef), id(None), *unlocking, 0,
    ]  # fmt: skip
    rooms = [np.empty(slot.elements if slot.may_be_copied else 0) for slot in slots]
    for k, (slot, shape, room) in enumerate(zip(slots, shapes, rooms, strict=True)):
        record = words[RECORDS + RECORD * k :][:RECORD]
        record[:] = slot.words
        record[2], record[9] = address(shape), address(room)
    words.alive = slots, sweeps, lists, shapes, rooms
    return words


def pointer(function: Any) -> int:
    """Return where a function of Python's C interface begins."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class MethodDef(ctypes.Structure):
    """How CPython is told of a function of machine code."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("meth", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    )  # fmt: skip


_ALIVE: list[_MachineCode] = []  # threads that come at once may make several, and their functions need all of them


class _MachineCode:
    """The two functions, compiled, as objects that Python can call."""

    def __init__(self) -> None:
        from sparsead.emit.llvm import code_of

        self.code = code_of(PLAIN_AND_BOUND.format(**LAYOUT, record=RECORD, records=RECORDS, most=MOST))
        self._known: dict[str, MethodDef] = {}  # CPython keeps pointers to them
        _ALIVE.append(self)
        self._new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
            pointer(ctypes.pythonapi.PyCFunction_NewEx)
        )

    def function(self, name: str, kind: int, words: _Words) -> Callable[..., Any]:
        """Return a new function object whose machine code reads `words`."""
        definition = self._known.get(name) or MethodDef(name.encode(), self.code.address_of(name), kind, None)
        definition = self._known.setdefault(name, definition)  # one for all threads, for the first may be in use
        return self._new(ctypes.addressof(definition), words, None)


@functools.cache
def machine_code() -> _MachineCode | None:
    """Compile the functions, where objects are laid out as they read them: CPython with its lock."""
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None
    return _MachineCode() if _as_expected(np.ones((2, 3))) and _as_expected(np.ones((4, 6))[1:, ::2]) else None


def _as_expected(array: np.ndarray) -> bool:
    """Tell whether an array's header says what NumPy says about it."""

    def read(kind: Any, what: str) -> Any:
        return kind.from_address(id(array) + LAYOUT[what]).value

    shape, strides = (
        (ctypes.c_int64 * array.ndim).from_address(read(ctypes.c_void_p, what)) for what in ("shape", "strides")
    )
    return (
        read(ctypes.c_void_p, "type") == id(np.ndarray)
        and read(ctypes.c_void_p, "data") == array.__array_interface__["data"][0]
        and read(ctypes.c_int, "ndim") == array.ndim
        and tuple(shape) == array.shape
        and tuple(strides) == array.strides
        and read(ctypes.c_void_p, "dtype") == id(DOUBLE)
        and read(ctypes.c_int, "flags") == array.flags.num
        and ctypes.c_double.from_address(id(1.5) + HEADER).value != 0.0
    )
