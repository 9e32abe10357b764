"""The columns of a tape: memory that grows, which machine code may fill as well as Python.

Machine code (`sparsead.emit.recorder`) does only what it was shown. A method of traced numbers that ran in Python and
added one record, of a signature that had been met before, to its operands in order, does the same again for operands
of the same signatures; `learn` puts that down.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from sparsead.errors import unsupported

# What machine code finds in the words of a tape, by place; `SHARED` is where those are that all tapes share.
LENGTH, ROOM, SIGNATURE, FIRST, SECOND, TABLE, MASK, THREAD, KNOWN, EXPONENTS, SHARED = PLACES = range(11)
HASH_A, HASH_B, HASH_CODE = 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35  # odd numbers of 32 bits
STORED = 1 << 20  # a code of its own: an element may be written with a number of this signature
MOST_LEARNED = 1 << 16
START = 256  # records
MOST = 1 << 31  # records: operands are numbers of 32 bits
MANY = 1024  # records from which on machine code is worth being loaded
ARRAYS_HINT = "Write it with NumPy functions of arrays, which are one operation each."


class Machine:
    """Machine code that records.

    Attributes
    ----------
    load : callable or None
        What puts it in place of methods in Python: called once, when a tape has grown so long that it is worth it.
    words : ndarray
        What it needs beside a tape; `load` fills it.
    runs : bool
        Whether it is in place.
    """

    def __init__(self) -> None:
        self.load: Callable[[], None] | None = None
        self.words = np.zeros(64, np.int64)
        self.runs = False

    def wanted(self) -> None:
        """Load the machine code, once, where there is any."""
        load, self.load = self.load, None
        if load is not None:
            load()


machine = Machine()


class Columns:
    """Records of three numbers each: a signature, and two operands.

    Attributes
    ----------
    signature, a, b : array of int
        The columns; what is beyond the length is room.
    words : ndarray
        Lengths and addresses, as machine code reads them.
    known, exponents : dict
        Literals and exponents, to their records.
    """

    __slots__ = ("_head", "_learned", "_moves", "_table", "a", "b", "exponents", "known", "signature", "words")

    def __init__(self) -> None:
        self.signature, self.a, self.b = (array("i", bytes(4 * START)) for _ in range(3))
        self.known: dict[float, int] = {}
        self.exponents: dict[float, int] = {}
        self.words = np.zeros(len(PLACES), np.int64)
        self._head = memoryview(self.words.data)
        self._learned: dict[tuple[int, int, int], int] = {}
        self._moves = 0
        self._head[ROOM] = START
        self._head[KNOWN], self._head[EXPONENTS] = id(self.known), id(self.exponents)
        self._head[SHARED] = machine.words.ctypes.data
        self._tabulate(64)

    def __len__(self) -> int:
        return self._head[LENGTH]

    def append(self, number: int, a: int = 0, b: int = 0) -> int:
        """Add a record and return its place."""
        head = self._head
        while head[LENGTH] >= head[ROOM]:  # again, if another thread took the room
            self._grow()
        record: int = head[LENGTH]
        self.signature[record] = number
        self.a[record] = a
        self.b[record] = b
        head[LENGTH] = record + 1
        return record

    def opened(self, is_open: bool = True) -> None:
        """Let machine code record here, when it runs in this thread, until this is closed."""
        self._moved()  # an interrupt may have come when it grew
        self._head[THREAD] = threading.get_ident() if is_open else 0

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """Keep machine code away while memory moves: an interrupt, another thread or a finalizer may come in between.

        After an exception, or if memory was moved in between, it stays away until the tape is opened again.
        """
        self._moves += 1
        moves, thread, self._head[THREAD] = self._moves, self._head[THREAD], 0
        yield
        if self._moves == moves:
            self._head[THREAD] = thread

    def _grow(self) -> None:
        room = self._head[ROOM]
        if room >= MOST:
            raise unsupported(f"a trace of {MOST:,} operations on single numbers", ARRAYS_HINT)
        with self._moving():
            for column in (self.signature, self.a, self.b):
                column.frombytes(bytes(4 * room))
            self._head[ROOM] = 2 * room
            self._moved()
        if room >= MANY:
            machine.wanted()

    def _moved(self) -> None:
        for place, column in ((SIGNATURE, self.signature), (FIRST, self.a), (SECOND, self.b)):
            self._head[place] = column.buffer_info()[0]
        self._head[TABLE], self._head[MASK] = self._table.buffer_info()[0], len(self._table) // 4 - 1

    # -- what machine code has learned ------------------------------------------------------------------------
    def learn(self, code: int, a: int, b: int, number: int) -> None:
        """Let machine code do `code` with operands of signatures `a` and `b` by itself: a record of `number`."""
        if (code, a, b) in self._learned or len(self._learned) >= MOST_LEARNED or not machine.runs:
            return
        self._learned[code, a, b] = number
        if 2 * len(self._learned) > self._head[MASK]:
            self._tabulate(4 * (self._head[MASK] + 1))
        else:
            self._enter(code, a, b, number)

    def _tabulate(self, size: int) -> None:
        with self._moving():
            self._table = array("i", bytes(16 * size))
            self._moved()
        for key, number in tuple(self._learned.items()):  # another thread may learn meanwhile
            self._enter(*key, number)

    def _enter(self, code: int, a: int, b: int, number: int) -> None:
        mask, table = self._head[MASK], self._table
        h = (a * HASH_A + b * HASH_B + code * HASH_CODE) % (1 << 64)
        row = h ^ (h >> 15)
        while table[4 * (row & mask)]:
            row += 1
        at = 4 * (row & mask)
        table[at : at + 4] = array("i", (code, a, b, number))
