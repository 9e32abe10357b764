"""Generated source: plain Python restricted to assignments, arithmetic and loops over flat arrays.

The same text is read by every back end: numba, LLVM, and Python itself (slow, for tests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from sparsead.kernels.kernel import Buffer

LARGEST = 2**31 - 1  # of the indices in tables
Dtype = str  # "f8" or "i4"


Callback = Callable[[Mapping[str, np.ndarray]], None]  # takes the arrays by parameter name


class Source:
    """A function being written: its array parameters and its lines.

    Where it must call back into Python it is interrupted: what follows is another function of the same parameters.

    Attributes
    ----------
    arrays : dict
        Parameter name to element type, ``"f8"`` or ``"i4"``, in the order of the signature.
    fixed : dict
        Values of the parameters that are the same at every call: constants and index tables.
    sizes : dict
        Sizes of the scratch arrays that the generated code writes and reads itself.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.arrays: dict[str, Dtype] = {}
        self.fixed: dict[str, np.ndarray] = {}
        self.sizes: dict[str, int] = {}
        self.lines: list[str] = []
        self.before: list[tuple[list[str], Callback]] = []
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

    def scratch(self, name: str, size: int) -> str:
        """Declare a scratch array of at least `size` elements and return its name."""
        self.sizes[name] = max(size, self.sizes.get(name, 0))
        return self.array(name)

    def table(self, entries: np.ndarray) -> str:
        """Declare an index table and return its name; equal tables are one."""
        assert entries.size == 0 or int(entries.max()) <= LARGEST, "an index does not fit 32 bits"
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

    def interrupt(self, callback: Callback) -> None:
        """End the function here, for a callback; what is written next goes into another one."""
        assert self._depth == 1, "only between loops"
        self.before.append((self.lines, callback))
        self.lines = []

    @property
    def functions(self) -> list[Function]:
        """The functions to compile, in the order in which they run."""
        bodies = [*(lines for lines, _ in self.before), self.lines]
        names = [self.name, *(f"{self.name}_{k}" for k in range(1, len(bodies)))]
        return [Function(name, self.arrays, lines) for name, lines in zip(names, bodies, strict=True)]

    @property
    def callbacks(self) -> list[Callback]:
        """What runs after each function but the last."""
        return [callback for _, callback in self.before]

    @property
    def text(self) -> str:
        """The text of all functions."""
        return "\n".join(function.text for function in self.functions)


@dataclass(frozen=True)
class Function:
    """A generated function: what a back end compiles."""

    name: str
    arrays: dict[str, Dtype]
    lines: list[str]

    @property
    def text(self) -> str:
        """The text of the function."""
        head = f"def {self.name}({', '.join(self.arrays)}):"
        return "\n".join([head, *(self.lines or ["    pass"])]) + "\n"


def literal(number: float) -> str:
    """Return a literal that generated code and all back ends read back exactly."""
    if number != number:
        return "nan"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "(-inf)"
    return repr(number) if number >= 0 and repr(number)[0] != "-" else f"({number!r})"
