"""Generated source: plain Python restricted to assignments, arithmetic and loops over flat arrays.

The same text is read by every back end: numba, LLVM, and Python itself (slow, for tests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sparsead.kernels.indexmap import IndexMap, Table
from sparsead.kernels.kernel import Buffer, Load, reachable
from sparsead.program.index import Shape
from sparsead.program.scalar import Expr

Dtype = str  # "f8" or "i4"


class Source:
    """A function being written: its array parameters and its lines.

    Attributes
    ----------
    arrays : dict
        Parameter name to element type, ``"f8"`` or ``"i4"``, in the order of the signature.
    fixed : dict
        Values of the parameters that are the same at every call: constants and index tables.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrays: dict[str, Dtype] = {}
        self.fixed: dict[str, np.ndarray] = {}
        self.lines: list[str] = []
        self._depth = 1
        self._tables: dict[bytes, str] = {}

    def array(self, name: str, dtype: Dtype = "f8", value: np.ndarray | None = None) -> str:
        """Declare an array parameter (once) and return its name."""
        self.arrays.setdefault(name, dtype)
        if value is not None:
            self.fixed.setdefault(name, np.ascontiguousarray(value, dtype=dtype))
        return name

    def buffer(self, buffer: Buffer, tangent: bool = False) -> str:
        """Declare the array that holds a buffer, or its tangents."""
        if buffer.role == "constant" and not tangent:
            return self.array(buffer.name, value=buffer.value)
        return self.array(f"d{buffer.name}" if tangent else buffer.name)

    def table(self, entries: np.ndarray) -> str:
        """Declare an index table and return its name; equal tables are one."""
        entries = np.ascontiguousarray(entries, dtype=np.int32)
        digest = hashlib.blake2b(entries.data, digest_size=16).digest()
        if digest not in self._tables:
            self._tables[digest] = self.array(f"t{len(self._tables)}", "i4", entries)
        return self._tables[digest]

    def write(self, line: str) -> None:
        """Add a line at the current depth."""
        self.lines.append("    " * self._depth + line)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write a compound statement; lines written inside the with block are its body."""
        self.write(header)
        self._depth += 1
        yield
        self._depth -= 1

    @property
    def text(self) -> str:
        """The whole function."""
        head = f"def {self.name}({', '.join(self.arrays)}):"
        return "\n".join([head, *(self.lines or ["    pass"])]) + "\n"


class Nest:
    """A loop nest over a domain: each value is computed in the outermost loop that knows it.

    Ask for values and indices first, then write `statements` for the innermost body, then `close`.
    """

    def __init__(self, source: Source, domain: Shape, counter: Iterator[int]) -> None:
        self.source = source
        self.domain = domain
        self.levels: list[list[str]] = [[] for _ in range(len(domain) + 1)]
        self._counter = counter
        self._indices: dict[Any, tuple[str, int]] = {}
        self._values: dict[int, tuple[str, int]] = {}

    def _name(self, letter: str) -> str:
        return f"{letter}{next(self._counter)}"

    def index(self, index: IndexMap) -> str:
        """Return the name (or literal) of an index."""
        return self._index(index)[0]

    def _index(self, index: IndexMap) -> tuple[str, int]:
        if index.key not in self._indices:
            self._indices[index.key] = self._build_index(index)
        return self._indices[index.key]

    def _build_index(self, index: IndexMap) -> tuple[str, int]:
        """Sum up an index map level by level, from the outermost loop inwards."""
        running, level = (str(index.offset) if index.offset else ""), 0
        for axis, stride in enumerate(index.strides):
            parts = [f"i{axis}" if stride == 1 else f"{stride} * i{axis}"] if stride else []
            parts += [self._lookup(t) for t in index.tables if t.axes[-1] == axis]
            if parts:
                name = self._name("j")
                total = " + ".join([running, *parts] if running else parts)
                self.levels[axis + 1].append(f"{name} = {total}")
                running, level = name, axis + 1
        return running or "0", level

    def _lookup(self, table: Table) -> str:
        name = self.source.table(table.entries)
        place, step = [], 1
        for axis in reversed(table.axes):
            place.append(f"i{axis}" if step == 1 else f"{step} * i{axis}")
            step *= self.domain[axis]
        return f"{name}[{' + '.join(reversed(place)) or '0'}]"

    def value(self, root: Expr) -> str:
        """Return the name (or literal) of the value of an expression."""
        for expr in reachable([root]):
            if expr.serial not in self._values:
                self._values[expr.serial] = self._build_value(expr)
        return self._values[root.serial][0]

    def _build_value(self, expr: Expr) -> tuple[str, int]:
        if expr.op is None and isinstance(expr.value, Load):
            place, level = self._index(expr.value.index)
            name, code = self._name("s"), f"{self.source.buffer(expr.value.buffer)}[{place}]"
        elif expr.op is None:
            return literal(expr.value), 0
        else:
            args = [self._values[a.serial] for a in expr.args]
            level = max((a[1] for a in args), default=0)
            name, code = self._name("s"), expr.op.code.format(*(a[0] for a in args))
        self.levels[level].append(f"{name} = {code}")
        return name, level

    @contextmanager
    def body(self) -> Iterator[None]:
        """Write the loops and all values that were asked for; the with block writes the innermost body."""
        source = self.source
        with _nested(source, self.domain, self.levels):
            yield


@contextmanager
def _nested(source: Source, domain: Shape, levels: list[list[str]], axis: int = 0) -> Iterator[None]:
    for line in levels[axis]:
        source.write(line)
    if axis == len(domain):
        yield
        return
    with source.block(f"for i{axis} in range({domain[axis]}):"), _nested(source, domain, levels, axis + 1):
        yield


def literal(number: float) -> str:
    """Return a literal that generated code and all back ends read back exactly."""
    if number != number:
        return "nan"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "(-inf)"
    return repr(number) if number >= 0 and repr(number)[0] != "-" else f"({number!r})"
