"""Parts of a buffer: what goes into it, to which places; joined arrays by owner, sums by term."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sparsead.kernels.fusion import is_factor
from sparsead.kernels.joined import Owners
from sparsead.program.index import IndexArray, Shape, compose, identity, reshaped
from sparsead.program.nodes import Join, Map, Node, Ref, constant, whole


class NeedsBufferError(Exception):
    """A node that was to be computed in place needs a buffer after all."""

    def __init__(self, node: Node) -> None:
        self.node = node


@dataclass(frozen=True, eq=False)
class Piece:
    """Part of a buffer: at each point p, the reading's value times the factors goes to ``place[p]``."""

    ref: Ref
    place: IndexArray
    adds: bool = False
    factors: tuple[Ref, ...] = ()

    def at(self, picked: IndexArray) -> Piece:
        """Return the piece on some of its points, given by their flat numbers."""
        factors = tuple(f.at(picked) for f in self.factors)
        return Piece(self.ref.at(picked), compose(self.place, picked), self.adds, factors)

    def reshaped(self, shape: Shape) -> Piece:
        """Return the piece over a domain of another shape."""
        if shape == self.ref.shape:
            return self
        factors = tuple(Ref(f.node, reshaped(f.index, shape)) for f in self.factors)
        ref = Ref(self.ref.node, reshaped(self.ref.index, shape))
        return Piece(ref, reshaped(self.place, shape), self.adds, factors)


def parts_of_join(piece: Piece, join: Join) -> Iterator[tuple[Piece, int, IndexArray]]:
    """Yield the parts of a piece by owner: the part, the number of the owner, and where it is read."""
    owners = Owners(join, piece.ref.index)
    for k in owners.parts:
        part = piece if len(owners.parts) == 1 else piece.at(owners.points(k))
        yield part, k, Owners(join, part.ref.index).offset


def resolved(part: Piece, join: Join, owner: int, offset: IndexArray) -> Piece:
    """Let a part of a joined array read its piece, over the piece's own domain where it is taken whole."""
    node = join.pieces[owner]
    moved = Piece(Ref(node, offset), part.place, part.adds, part.factors)
    if offset.size == node.size and np.array_equal(offset.reshape(-1), identity(node.size)):
        moved = Piece(Ref(node, identity(offset.shape)), part.place, part.adds, part.factors)
        return moved.reshaped(node.shape)
    return moved


def addends(piece: Piece, node: Map) -> Iterator[Piece]:
    """Split a linear operation into pieces that add up."""
    args = [r.at(piece.ref.index) for r in node.args]
    if node.op.name == "multiply":
        factor, other = (args[0], args[1]) if is_factor(args[0].node) else (args[1], args[0])
        yield Piece(other, piece.place, piece.adds, (*piece.factors, factor))
        return
    minus = whole(constant(-1.0)).broadcast(piece.ref.shape)
    for k, arg in enumerate(args):
        negated = node.op.name == "negative" or (node.op.name == "subtract" and k == 1)
        yield Piece(arg, piece.place, True, (*piece.factors, minus) if negated else piece.factors)
