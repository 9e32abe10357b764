"""Kernels: the one form that every stage after tracing reads and writes.

A kernel computes scalar expressions of gathered values at every point of its domain and stores them. Its derivative is
a linear kernel, see `sparsead.kernels.linear`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sparsead.kernels.indexmap import IndexMap
from sparsead.program.index import Shape
from sparsead.program.nodes import GivesProducts, Operation, Part, TakesPasses
from sparsead.program.scalar import Expr, Pool, reachable, spelled

Role = Literal["input", "constant", "work", "output", "total"]


@dataclass(frozen=True, eq=False)
class Buffer:
    """A flat float64 array that kernels read or write; `value` is known for constants only.

    `empty` is what it holds before anything is added to it. A `total` is an output that keeps what it holds. An input
    that is put together of several arrays names them as its `parts`: code may read these in its place.
    """

    name: str
    size: int
    role: Role
    value: np.ndarray | None = None
    empty: float = 0.0
    parts: tuple[Part, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Load:
    """A gather: at point i the element ``index(i)`` of a buffer."""

    buffer: Buffer
    index: IndexMap

    def __str__(self) -> str:
        return f"{self.buffer}[{self.index}]"

    @property
    def part(self) -> Part | None:
        """The part of the buffer that all that is read lies in, if there is one."""
        if not self.buffer.parts:
            return None
        first, last = self.index.bounds
        return next((part for part in self.buffer.parts if part.start <= first and last < part.stop), None)


@dataclass(frozen=True)
class Meeting:
    """A truth value: at point i two index maps agree."""

    first: IndexMap
    second: IndexMap

    def array(self) -> np.ndarray:
        """Return the truth values, over the domain."""
        return self.first.array() == self.second.array()

    def __str__(self) -> str:
        return f"{self.first} == {self.second}"


@dataclass(frozen=True)
class Store:
    """A scatter: at point i, ``buffer[place(i)]`` is set to `value`, or has it added (`adds`)."""

    buffer: Buffer
    place: IndexMap
    value: Expr
    adds: bool


@dataclass(frozen=True, eq=False)
class Kernel:
    """Stores of expressions over a common domain, sharing one pool of expressions.

    The points of an `ordered` kernel are computed one after another: it may read what it stored at earlier points.
    `like` is an equal kernel on other buffers, if one is known, and which of its buffers are which of this one.
    """

    domain: Shape
    stores: tuple[Store, ...]
    ordered: bool = False
    like: tuple[Kernel, Mapping[Buffer, Buffer]] | None = None

    @property
    def loads(self) -> list[Load]:
        """What the kernel gathers, each once."""
        return [e.value for e in reachable(s.value for s in self.stores) if isinstance(e.value, Load)]

    @property
    def adds(self) -> bool:
        """Whether it adds to places, where several points may meet."""
        return any(s.adds for s in self.stores)

    def __str__(self) -> str:
        named, values = spelled(s.value for s in self.stores)
        pairs = zip(self.stores, values, strict=True)
        stored = (f"{s.buffer}[{s.place}] {'+=' if s.adds else '='} {v}" for s, v in pairs)
        return listed(self.domain, [*named, *stored])


@dataclass(frozen=True, eq=False)
class CallKernel:
    """A call of an operation that is not traced: fills `result`, and the entries of its derivatives.

    ``entries[k]`` holds the derivative with respect to ``operands[k]``, in the order of the operation's structure.
    `filled` says which of these buffers the program needs.
    """

    operation: Operation
    operands: tuple[Buffer, ...]
    result: Buffer
    entries: tuple[Buffer, ...]
    filled: tuple[Buffer, ...]

    def run(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Call the operation on arrays given by the names of their buffers."""
        operands = [arrays[b.name] for b in self.operands]
        if self.result in self.filled:
            self.operation.value(operands, arrays[self.result.name])
        for number, entries in enumerate(self.entries):
            if entries in self.filled:
                self.operation.derivative(operands, number, arrays[entries.name])

    def compile(self) -> None:
        """Compile what the operation runs of its own, if anything."""
        if isinstance(self.operation, GivesProducts):
            self.operation.compile(entries=any(e in self.filled for e in self.entries))

    @property
    def passes(self) -> dict[str, int]:
        """The products with its derivative that one run takes, by kind; none where entries are known otherwise."""
        found: dict[str, int] = {}
        if isinstance(self.operation, TakesPasses) and not self.operation.linear:
            wanted = (k for k, entries in enumerate(self.entries) if entries in self.filled)
            for count, kind in map(self.operation.passes, wanted):
                found[kind] = found.get(kind, 0) + count
        return {kind: count for kind, count in found.items() if count}

    def __str__(self) -> str:
        filled = ", ".join(b.name for b in self.filled)
        return f"{filled} = {self.operation.name}({', '.join(b.name for b in self.operands)})"


Step = Kernel | CallKernel


@dataclass(frozen=True, eq=False)
class Kernels:
    """A lowered program: kernels in an order in which every buffer is complete before it is read."""

    wrt: Buffer
    output: Buffer
    arguments: tuple[Buffer, ...]
    kernels: tuple[Step, ...]

    @property
    def work(self) -> list[Buffer]:
        """Intermediate buffers, in the order in which they are filled."""
        filled = dict.fromkeys(b for step in self.kernels for b in filled_by(step))
        return [b for b in filled if b.role == "work"]

    def __str__(self) -> str:
        return "\n".join(map(str, self.kernels))


def listed(domain: Shape, lines: Iterable[str]) -> str:
    """Return a loop over a domain as text."""
    head = f"for i in {' x '.join(map(str, domain)) or '1'}:"
    return "\n".join([head, *(f"    {line}" for line in lines)])


def filled_by(step: Step) -> tuple[Buffer, ...]:
    """Return the buffers that a step of a program writes."""
    return step.filled if isinstance(step, CallKernel) else tuple(s.buffer for s in step.stores)


def read_by(step: Step) -> tuple[Buffer, ...]:
    """Return the buffers that a step of a program reads."""
    return step.operands if isinstance(step, CallKernel) else tuple(load.buffer for load in step.loads)


def combined(first: Kernels, second: Kernels) -> Kernels:
    """Return kernels that fill what either program fills, with the output of the second."""
    known = {b for step in first.kernels for b in filled_by(step)}
    steps = list(first.kernels)
    for step in second.kernels:
        missing = tuple(b for b in filled_by(step) if b not in known)
        if missing:
            steps.append(replace(step, filled=missing) if isinstance(step, CallKernel) else step)
    return Kernels(second.wrt, second.output, second.arguments, tuple(steps))


def zeros(buffer: Buffer) -> Kernel:
    """Return the kernel that sets a buffer to zero."""
    everywhere = IndexMap((buffer.size,), 0, (1,))
    return Kernel((buffer.size,), (Store(buffer, everywhere, Pool().constant(0.0), adds=False),))


def moved(roots: Iterable[Expr], move: Callable[[IndexMap], IndexMap], pool: Pool | None = None) -> list[Expr]:
    """Return expressions over another domain, given by what becomes of the index maps of their loads."""
    return with_loads(roots, lambda load: Load(load.buffer, move(load.index)), move, pool)


def with_loads(
    roots: Iterable[Expr],
    new_load: Callable[[Load], Load],
    move: Callable[[IndexMap], IndexMap] = lambda index: index,
    pool: Pool | None = None,
) -> list[Expr]:
    """Return expressions with other loads, in a new pool or the one given.

    `move` says what becomes of the index maps of meetings.
    """
    roots = list(roots)
    pool = Pool() if pool is None else pool
    new: dict[int, Expr] = {}
    build = pool.simple  # until a leaf becomes a literal
    for expr in reachable(roots):
        if isinstance(expr.value, Load):
            new[expr.serial] = pool.leaf(new_load(expr.value))
        elif isinstance(expr.value, Meeting):
            new[expr.serial] = met(pool, move(expr.value.first), move(expr.value.second))
            build = pool.apply if new[expr.serial].is_constant else build
        elif expr.op is None:
            new[expr.serial] = pool.constant(expr.value)
        else:
            new[expr.serial] = build(expr.op, tuple([new[a.serial] for a in expr.args]))
    return [new[root.serial] for root in roots]


def met(pool: Pool, first: IndexMap, second: IndexMap) -> Expr:
    """Return the truth value that two index maps agree, a literal where they always or never do."""
    if first == second or not first.meets(second):
        return pool.constant(float(first == second))
    return pool.leaf(Meeting(first, second))
