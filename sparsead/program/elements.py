"""The elements of many arrays, numbered one after another: what is read, down through arrays that are put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsead.program.index import NUMBER, narrowed
from sparsead.program.nodes import Constant, Join, Node, Ref, whole


class Elements:
    """Numbers of the elements of some nodes.

    Parameters
    ----------
    nodes : sequence of Node
        In the order in which their elements are numbered.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = list(nodes)
        self.starts = np.cumsum([0, *(node.size for node in nodes)])
        self.first = {node.serial: int(start) for node, start in zip(nodes, self.starts, strict=False)}

    def added(self, node: Node) -> np.ndarray:
        """Number the elements of another node."""
        first = int(self.starts[-1])
        self.nodes.append(node)
        self.starts = np.append(self.starts, first + node.size)
        self.first[node.serial] = first
        return np.arange(first, first + node.size)

    def owners(self, numbers: np.ndarray) -> np.ndarray:
        """Return the number of the node that each element belongs to."""
        return np.searchsorted(self.starts, numbers, side="right") - 1

    def read(self, refs: Sequence[Ref]) -> np.ndarray:
        """Return the elements that some readings read, one after the other; none of them of a joined array."""
        parts = [ref.index.reshape(-1).astype(np.int64) + self.first[ref.node.serial] for ref in refs]
        numbers = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        pending = np.arange(numbers.size)
        while pending.size:
            owners = self.owners(numbers[pending])
            order = np.argsort(owners, kind="stable")
            parts = np.split(order, np.flatnonzero(np.diff(owners[order])) + 1)
            rest = [pending[part] for part in parts if isinstance(self.nodes[owners[part[0]]], Join)]
            for part in rest:
                self._through(numbers, part)
            pending = np.concatenate([np.zeros(0, np.int64), *rest])
        return numbers

    def _through(self, numbers: np.ndarray, part: np.ndarray) -> None:
        """Let elements of one joined array be those of its pieces."""
        number = int(self.owners(numbers[part[:1]])[0])
        join = self.nodes[number]
        assert isinstance(join, Join)
        at = numbers[part] - self.starts[number]
        starts = np.array([self.first[piece.serial] for piece in join.pieces])
        numbers[part] = starts[join.owner.reshape(-1)[at]] + join.offset.reshape(-1)[at]

    def reading(self, numbers: np.ndarray) -> Ref:
        """Return the reading of some elements."""
        owners = self.owners(numbers)
        present, owner = np.unique(owners, return_inverse=True)
        pieces = tuple(self.nodes[k] for k in present)
        offset = narrowed(numbers - self.starts[owners])
        if len(pieces) == 1:
            return Ref(pieces[0], offset)
        return whole(Join(shape=numbers.shape, pieces=pieces, owner=owner.astype(NUMBER), offset=offset))

    def known(self, numbers: np.ndarray) -> np.ndarray:
        """Return the values of elements of constants, NaN for others."""
        owners = self.owners(numbers)
        present = np.unique(owners)
        values = [n.value.reshape(-1) if isinstance(n := self.nodes[k], Constant) else np.zeros(0) for k in present]
        first = np.cumsum([0, *(value.size for value in values)])
        number = np.searchsorted(present, owners)
        place = first[number] + numbers - self.starts[owners]
        found = np.full(numbers.size, np.nan)
        inside = place < first[number + 1]
        found[inside] = np.concatenate(values)[place[inside]]
        return found
