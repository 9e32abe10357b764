"""Generated source: plain Python restricted to assignments, arithmetic and loops over flat arrays.

The same text is read by every back end: numba, LLVM, and Python itself (slow, for tests).
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from sparsead.emit.parsing import parse
from sparsead.emit.sharing import Loop, Procedure, Span, loops, with_calls
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, CallKernel, Load
from sparsead.program.index import narrowed
from sparsead.program.nodes import Part

Dtype = str  # "f8", or of indices "i4", "i8"


LANE = "q"  # the counter of a loop over the points of a block, which have nothing to do with each other
PAST = "past"  # the counter of a loop that stores past the caches what is not read soon, where a processor can
POINT = "point"  # the counter of a loop over points that lie one after the other in memory
STAGE = "stage"  # the scratch array of values that are computed for a chunk of points, and scattered afterwards
PART = "part"  # the array parameter of divided functions: number of the share, number of shares


def share(size: int | str) -> tuple[str, str]:
    """Return the bounds of this thread's share of ``range(size)``, as code; `size` may be code too."""
    return f"{size} * {PART}[0] // {PART}[1]", f"{size} * ({PART}[0] + 1) // {PART}[1]"


@dataclass(eq=False)
class _Section:
    lines: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    divided: bool = False
    then: CallKernel | None = None


class Source:
    """A function being written: its array parameters and its lines.

    It is cut where it must call back into Python, and around loops that are divided between threads: what follows is
    another function of the same parameters.

    Attributes
    ----------
    arrays : dict
        Parameter name to element type, ``"f8"`` or that of an index, in the order of the signature.
    fixed : dict
        Values of the parameters that are the same at every call: constants and index tables.
    sizes : dict
        Sizes of the scratch arrays that the generated code writes and reads itself.
    parts : dict
        Parameters that are part of another array: its name, and where. Who calls has them, or cuts them out.
    of_points : bool
        True if it is going to be run for many points: a loop over these gives vectors, and threads share them.
    grid : bool
        True if each loop is going to be a grid of threads, see `sparsead.emit.grid`: it counts points one by one, and
        is a procedure, whatever its length.
    """

    def __init__(self, name: str, of_points: bool = False, grid: bool = False) -> None:
        self.name = name
        self.of_points = of_points
        self.grid = grid
        self.arrays: dict[str, Dtype] = {}
        self.fixed: dict[str, np.ndarray] = {}
        self.sizes: dict[str, int] = {}
        self.parts: dict[str, tuple[str, Part]] = {}
        self._sections = [_Section()]
        self._depth = 1
        self._tables: dict[bytes, str] = {}
        self._elsewhere: Counter[str] = Counter()
        self._trees: tuple[tuple[int, int], list[ast.FunctionDef]] | None = None  # and what they were made of

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

    def element(self, load: Load) -> tuple[str, IndexMap]:
        """Declare the array that a load reads, and return its name and where it is read.

        Of an input that is put together of several arrays it is the one that holds all that is read.
        """
        part = None if self.of_points or self.grid else load.part
        if part is None:
            return self.buffer(load.buffer), load.index
        self.parts[part.name] = load.buffer.name, part
        return self.array(part.name), load.index.less(part.start)

    def scratch(self, name: str, size: int) -> str:
        """Declare a scratch array of at least `size` elements and return its name."""
        self.sizes[name] = max(size, self.sizes.get(name, 0))
        return self.array(name)

    def indices(self, name: str, entries: np.ndarray) -> str:
        """Declare an array of indices (once), in the type that holds them all, and return its name."""
        entries = np.ascontiguousarray(narrowed(entries))
        return self.array(name, entries.dtype.str[1:], entries)

    def table(self, entries: np.ndarray) -> str:
        """Declare an index table and return its name; equal tables are one."""
        entries = np.ascontiguousarray(narrowed(entries))
        digest = hashlib.blake2b(entries.data, digest_size=16, key=entries.dtype.str.encode()).digest()
        if digest not in self._tables:
            self._tables[digest] = self.indices(f"t{len(self._tables)}", entries)
        return self._tables[digest]

    def write(self, line: str) -> None:
        """Add a line at the current depth."""
        self._sections[-1].lines.append("    " * self._depth + line)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write a compound statement; lines written inside the with block are its body."""
        self.write(header)
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def loop(self) -> Iterator[None]:
        """Write code that reads no number that is set before it, but those of the blocks around it: see `sharing`."""
        section = self._sections[-1]
        first = len(section.lines)
        yield
        section.spans.append((first, len(section.lines)))

    def interrupt(self, call: CallKernel) -> None:
        """End the function here, for an operation that is not traced; what is written next goes into another one."""
        self._require_between_loops()
        self._sections[-1].then = call
        self._sections.append(_Section())

    def _require_between_loops(self) -> None:
        if not self.divisible:
            raise AssertionError("only between loops")

    @property
    def divisible(self) -> bool:
        """Tell whether a divided part can begin here: between loops."""
        return self._depth == 1

    @contextmanager
    def divided(self) -> Iterator[None]:
        """Write a part of which every thread runs a share: ``part[0]`` of ``part[1]``; see `share`."""
        self._require_between_loops()
        self._sections.append(_Section(divided=True))
        self.array(PART, "i8")
        yield
        self._sections.append(_Section())

    @property
    def _used(self) -> list[_Section]:
        return [s for s in self._sections if s.lines or s.then] or self._sections[:1]

    def _loops(self) -> list[list[Loop]]:
        return [loops(s.lines, s.spans, self.arrays) for s in self._used]

    def compiled_with(self, others: Iterable[Source]) -> None:
        """Share loops with other sources that are going to be compiled together with this one."""
        self._elsewhere = Counter(loop.key for source in others for found in source._loops() for loop in found)

    @property
    def functions(self) -> list[Function]:
        """The functions to compile, in the order in which they run."""
        found = self._loops()
        return self._functions(self._elsewhere + Counter(loop.key for section in found for loop in section), found)

    @property
    def calls_back(self) -> bool:
        """Tell whether a function is followed by an operation that is not traced."""
        return any(section.then is not None for section in self._used)

    @property
    def trees(self) -> list[ast.FunctionDef]:
        """The functions as syntax trees that nobody changes, with every loop where it runs: nothing is a procedure.

        They are read by all who write other code of this, or count what it does; parsed once, when all is written.
        """
        used = self._used
        written = len(self.arrays), sum(len(section.lines) for section in used)
        if self._trees is None or self._trees[0] != written:
            texts = (function.text for function in self._functions(Counter(), [[] for _ in used]))
            self._trees = written, [parse(text).body[0] for text in texts]
        return self._trees[1]

    def _functions(self, times: Counter[str], found: list[list[Loop]]) -> list[Function]:
        used = self._used
        names = [self.name, *(f"{self.name}_{k}" for k in range(1, len(used)))]
        pairs = [with_calls(s.lines, f, times, self.arrays, self.grid) for s, f in zip(used, found, strict=True)]
        procedures = list({key: p for _, called in pairs for key, p in called.items()}.values())
        return [
            Function(name, self.arrays, lines, procedures, s.divided, s.then, self.sizes)
            for name, (lines, _), s in zip(names, pairs, used, strict=True)
        ]

    @property
    def text(self) -> str:
        """The text of all functions, after the procedures that they call."""
        functions = self.functions
        return "\n".join([*(p.text for p in functions[0].procedures), *(f.text for f in functions)])


@dataclass(frozen=True)
class Function:
    """A generated function: what a back end compiles.

    It calls some of the `procedures`, which all functions of a source share. A `divided` one runs once per share, by
    several threads at a time; `then` runs when it is done. `scratch` are the sizes of the scratch arrays.
    """

    name: str
    arrays: dict[str, Dtype]
    lines: list[str]
    procedures: list[Procedure] = field(default_factory=list)
    divided: bool = False
    then: CallKernel | None = None
    scratch: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text of the function alone."""
        head = f"def {self.name}({', '.join(self.arrays)}):"
        return "\n".join([head, *(self.lines or ["    pass"])]) + "\n"


def literal(number: float) -> str:
    """Return a literal that generated code and all back ends read back exactly."""
    if number != number:
        return "nan"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "(-inf)"
    return repr(number) if number >= 0 and repr(number)[0] != "-" else f"({number!r})"
