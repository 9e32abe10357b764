"""The array program: what one run of the user's function computed, one node per array operation.

A node has a shape (its domain) and one value per point of it. It reads other nodes through `Ref`: which flat
element of the other node each point reads. Slices, rolls, transposes and reshapes are therefore no nodes at all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from sparsead.errors import Origin
from sparsead.program.index import IndexArray, Shape, broadcast, compose, identity
from sparsead.program.scalar import Op

_serials = itertools.count()


def new_serial() -> int:
    """Return the number of the next node, larger than those of all nodes that exist."""
    return next(_serials)


@dataclass(eq=False, kw_only=True)
class Node:
    """Base of the node kinds. Serial numbers grow, so operands always come before their readers.

    `boolean` and `integer` say what NumPy would have computed; integers are held as floats, which hold them exactly.
    """

    shape: Shape
    boolean: bool = False
    integer: bool = False
    origin: Origin | None = None
    serial: int = field(default_factory=new_serial)

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def operands(self) -> tuple[Ref, ...]:
        """What the node reads."""
        return ()

    @property
    def label(self) -> str:
        """The word that stands for the node in a printed program."""
        return type(self).__name__.lower()


@dataclass(frozen=True, eq=False)
class Ref:
    """A reading of `node`: point p of the reader's domain reads flat element ``index[p]``."""

    node: Node
    index: IndexArray

    @property
    def shape(self) -> Shape:
        """Shape of the reader's domain."""
        return self.index.shape

    def at(self, index: IndexArray) -> Ref:
        """Return the reading of the points `index` of this reading."""
        return Ref(self.node, compose(self.index, index))

    def broadcast(self, shape: Shape) -> Ref:
        """Return this reading, repeated over `shape`."""
        return Ref(self.node, broadcast(self.index, shape))


def whole(node: Node) -> Ref:
    """Return the reading of all of `node`, point by point."""
    return Ref(node, identity(node.shape))


class Part(NamedTuple):
    """Elements `start` to `stop` of a vector, which a caller has as an array of its own."""

    name: str
    start: int
    stop: int


@dataclass(eq=False, kw_only=True)
class Input(Node):
    """A runtime value: the differentiated argument or another one.

    `parts` are the arrays that it is put together of, where it is several.
    """

    name: str
    parts: tuple[Part, ...] = ()

    @property
    def label(self) -> str:
        """The name of the argument."""
        return f"input {self.name}"


@dataclass(eq=False, kw_only=True)
class Constant(Node):
    """A value known while tracing."""

    value: np.ndarray

    @property
    def label(self) -> str:
        """The value itself where it is a single number."""
        return f"constant {self.value.item():g}" if self.value.size == 1 else "constant"


@dataclass(eq=False, kw_only=True)
class Map(Node):
    """A scalar operation at every point."""

    op: Op
    args: tuple[Ref, ...]

    @property
    def operands(self) -> tuple[Ref, ...]:
        """One reading per operand of the operation."""
        return self.args

    @property
    def label(self) -> str:
        """The operation."""
        return self.op.name


@dataclass(eq=False, kw_only=True)
class Sum(Node):
    """Element p is the sum of the terms e with ``place[e] == p``: a scatter-add.

    Sums along axes, ``np.add.at``, ``bincount`` and products with constant matrices are all of this kind.
    """

    terms: Ref
    place: IndexArray
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def operands(self) -> tuple[Ref, ...]:
        """The terms."""
        return (self.terms,)


@dataclass(eq=False, kw_only=True)
class Join(Node):
    """An array assembled from pieces: element p is element ``offset[p]`` of ``pieces[owner[p]]``."""

    pieces: tuple[Node, ...]
    owner: np.ndarray
    offset: IndexArray
    memo: dict[str, Any] = field(default_factory=dict, init=False)

    @property
    def operands(self) -> tuple[Ref, ...]:
        """One reading per piece: the elements of the piece that are used."""
        owner, offset = self.owner.reshape(-1), self.offset.reshape(-1)
        return tuple(Ref(piece, offset[owner == k]) for k, piece in enumerate(self.pieces))


class Operation(Protocol):
    """An operation that is not traced: a function of flat arrays with a known derivative.

    Those that are written here inherit from it what most of them are.

    Attributes
    ----------
    name : str
        What users call it.
    linear : bool
        True where the derivative does not depend on the operands.
    carrier : bool
        True where there is no derivative here: expressions that hold the result fixed state it.
    holds : bool
        True of a carrier whose derivative is left out on purpose, of every order: nothing states it.
    elementwise : bool
        True where an element of the result depends on the elements at its place only.
    restates : tuple of Operation
        The carriers whose values the result has, together with their derivative.
    """

    name: str
    linear: bool = False
    carrier: bool = False
    holds: bool = False
    elementwise: bool = False
    restates: tuple[Any, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What tells it from others of its name; those of users are known by name."""
        return ()

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Write the result, flat."""

    def derivative(self, operands: list[np.ndarray], number: int, out: np.ndarray) -> None:
        """Write the entries of the derivative with respect to one operand, in the order of `structure`."""

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Return row and column (flat elements of result and operand) of each entry of that derivative."""


@runtime_checkable
class TakesPasses(Protocol):
    """What an operation offers more, if products give the entries of its derivative."""

    def passes(self, number: int) -> tuple[int, str]:
        """Return how many products give the entries of the derivative with respect to one operand, and which."""


@runtime_checkable
class GivesProducts(Protocol):
    """What an operation offers more, if it gives products with its derivative; it may have no entries then."""

    def compile(self, entries: bool = False) -> None:
        """Compile what a call runs, and what the entries of the derivative need."""

    def pushed(self, active: Sequence[int]) -> Operation:
        """Return the operation of the operands, and of tangents of those that are active, to the tangent."""

    def pulled(self, active: Sequence[int]) -> Operation:
        """Return the operation of the operands, and of cotangents, to the cotangents of those that are active."""


@dataclass(eq=False, kw_only=True)
class Call(Node):
    """The result of an operation that is not traced."""

    operation: Operation
    args: tuple[Ref, ...]

    @property
    def operands(self) -> tuple[Ref, ...]:
        """One reading per operand, whole."""
        return self.args

    @property
    def label(self) -> str:
        """The name of the operation."""
        return f"call {self.operation.name}"


@dataclass(eq=False, kw_only=True)
class Earlier(Node):
    """Stands, in the body of a `Scan`, for the elements that the scan computed before."""


@dataclass(eq=False, kw_only=True)
class Scan(Node):
    """Elements computed one after another, each from earlier ones.

    The first elements are `start`; then come the values of the bodies, one block per body. The bodies run over a
    common one-dimensional domain, in order, and read what the scan has computed so far through `earlier`.
    """

    earlier: Earlier
    start: Ref
    bodies: tuple[Ref, ...]

    @property
    def operands(self) -> tuple[Ref, ...]:
        """The first elements, and the bodies."""
        return (self.start, *self.bodies)


@dataclass(frozen=True, eq=False)
class Program:
    """What one traced run computed: the inputs and the reading that is the function's value."""

    inputs: tuple[Input, ...]
    wrt: Input
    output: Ref
    name: str = "f"

    @property
    def nodes(self) -> list[Node]:
        """All nodes that the output needs, operands first."""
        found: dict[int, Node] = {}
        pending: list[Node] = [self.output.node, *self.inputs]
        while pending:
            node = pending.pop()
            if node.serial in found:
                continue
            found[node.serial] = node
            pending.extend(sources(node))
        return [found[s] for s in sorted(found)]

    def check(self) -> None:
        """Raise AssertionError unless every reading stays inside the node that it reads."""
        for node in self.nodes:
            for ref in node.operands:
                if ref.node.serial >= node.serial:
                    raise AssertionError(f"{node.label} reads a later node")
                if ref.index.size and not 0 <= int(ref.index.min()) <= int(ref.index.max()) < ref.node.size:
                    raise AssertionError(f"{node.label} reads outside of {ref.node.label}")
            if isinstance(node, Map) and any(r.shape != node.shape for r in node.args):
                raise AssertionError(f"{node.label}: shapes differ")

    def __str__(self) -> str:
        names = {node.serial: f"%{k}" for k, node in enumerate(self.nodes)}
        lines = []
        for node in self.nodes:
            reads = ", ".join(names[n.serial] for n in sources(node))
            line = f"{names[node.serial]} = {node.label}({reads})" if reads else f"{names[node.serial]} = {node.label}"
            place = f"  # {node.origin.file.rsplit('/', 1)[-1]}:{node.origin.line}" if node.origin else ""
            lines.append(f"    {line:<40}{'x'.join(map(str, node.shape)) or 'scalar':>12}{place}")
        shape = "x".join(map(str, self.output.shape)) or "scalar"
        head = f"program {self.name}({', '.join(i.name for i in self.inputs)}), {len(lines)} nodes"
        return "\n".join([head, *lines, f"    return {names[self.output.node.serial]} read as {shape}"])


def serial_from_now() -> int:
    """Return a number that is greater than that of every node so far, and less than that of every later one."""
    return next(_serials)


def sources(node: Node) -> Sequence[Node]:
    """Return the nodes that a node reads."""
    return node.pieces if isinstance(node, Join) else [r.node for r in node.operands]


def constant(value: Any) -> Constant:
    """Return the node of a value that is known while tracing (stored as float64, or bool)."""
    array = np.asarray(value)
    boolean, integer = array.dtype == np.bool_, array.dtype.kind in "iu"
    array = np.array(array, dtype=np.bool_ if boolean else np.float64)
    array.setflags(write=False)
    return Constant(shape=array.shape, boolean=boolean, integer=integer, value=array)
