"""Where a dependence goes through a program, and which operation on the way made it wide."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sparsead.errors import Origin
from sparsead.explain.edges import Backward, Forward, distinct, origin_of
from sparsead.program.nodes import Call, Map, Node, Scan, Sum


@dataclass(frozen=True)
class Cause:
    """An operation at a line of the user's code; the same operation at the same line is the same cause."""

    origin: Origin | None
    operation: str


NOTHING = Cause(None, "")
Key = tuple[int, Cause]


class Flow:
    """Elements that depend on each other, followed from `starts` through a program.

    Every path remembers its cause: of the operations that it went through, the one in which a single element leads to
    the most others (a sum of a thousand terms, a value that a thousand others read), and of several such the one that
    is closest to x.
    Equal operations of one line count as one, so there are few causes, and each element is visited once for each.

    Parameters
    ----------
    edges : Backward or Forward
        Which way to go.
    fixed : bool
        True where the causes of the starts are to stay what they are.

    Attributes
    ----------
    reached : dict
        Per node (by serial number) and cause, a mask of its elements.
    """

    def __init__(self, edges: Backward | Forward, fixed: bool = False) -> None:
        self.edges = edges
        self.fixed = fixed
        self.reached: dict[int, dict[Cause, np.ndarray]] = {}
        self.nodes: dict[int, Node] = {}
        self.fans: dict[Key, int] = {}  # of an operation, as it was passed under a cause
        self.widest: dict[Cause, int] = {NOTHING: 0}
        self._from: dict[Key, Key] = {}  # where the widest way to it came from
        self._way_width: dict[Key, int] = {}
        self._frontier: dict[int, dict[Cause, list[np.ndarray]]] = {}
        self._queue: list[tuple[int, int]] = []

    def run(self, starts: Iterable[tuple[Node, np.ndarray, Cause]]) -> Flow:
        """Follow everything that `starts` (elements of nodes, with causes) lead to."""
        for node, elements, cause in starts:
            self.widest.setdefault(cause, 0)
            self._push(node, elements, cause, None)
        while self._queue:
            serial = heapq.heappop(self._queue)[1]
            node, waiting = self.nodes[serial], self._frontier.pop(serial)
            for cause, parts in waiting.items():
                self._pass(node, distinct(np.concatenate(parts), node.size), cause)
        return self

    def of(self, node: Node) -> dict[Cause, np.ndarray]:
        """Return the elements of a node that were reached, flat and sorted, by cause."""
        return {cause: np.flatnonzero(mask) for cause, mask in self.reached.get(node.serial, {}).items()}

    def anywhere(self, node: Node) -> np.ndarray:
        """Return a mask of the elements of a node that were reached, whatever the cause."""
        masks = self.reached.get(node.serial, {})
        return np.logical_or.reduce([np.zeros(node.size, np.bool_), *masks.values()])

    def way(self, node: Node, cause: Cause) -> Iterator[tuple[Node, int]]:
        """Yield the nodes on the widest way from a reached node back to a start, each with its fan."""
        key: Key | None = (node.serial, cause)
        seen: set[Key] = set()
        while key is not None and key not in seen:  # a recurrence leads back to itself
            seen.add(key)
            yield self.nodes[key[0]], self.fans.get(key, 1)
            key = self._from.get(key)

    # -- parts ----------------------------------------------------------------------------------------------
    def _push(self, node: Node, elements: np.ndarray, cause: Cause, before: Key | None) -> None:
        masks, key = self.reached.setdefault(node.serial, {}), (node.serial, cause)
        if cause not in masks:
            masks[cause] = np.zeros(node.size, np.bool_)
            self.nodes[node.serial] = node
        if before is not None and self._wide_way(before) > self._way_width.get(key, 0):
            self._from[key], self._way_width[key] = before, self._wide_way(before)
        new = elements[~masks[cause][elements]]
        if not new.size:
            return
        masks[cause][new] = True
        if node.serial not in self._frontier:
            self._frontier[node.serial] = {}
            heapq.heappush(self._queue, (self.edges.step * node.serial, node.serial))
        self._frontier[node.serial].setdefault(cause, []).append(new)

    def _wide_way(self, key: Key) -> int:
        return max(self.fans.get(key, 1), self._way_width.get(key, 0))

    def _pass(self, node: Node, points: np.ndarray, cause: Cause) -> None:
        """Go on from some points of a node."""
        for edge in self.edges.edges(node, points):
            if not edge.elements.size:
                continue
            operation = node if isinstance(self.edges, Backward) else edge.node
            own = self._cause(operation, edge.fan, cause)
            before = (node.serial, cause)
            self.fans[before] = max(self.fans.get(before, 1), edge.fan)
            self._push(edge.node, edge.elements, own, before)

    def _cause(self, operation: Node, fan: int, cause: Cause) -> Cause:
        tie = fan == self.widest[cause] and isinstance(self.edges, Forward)  # what is closest to x wins
        if self.fixed or not name_of(operation) or fan < self.widest[cause] or tie:
            return cause
        own = Cause(origin_of(operation), name_of(operation))
        self.widest[own] = max(self.widest.get(own, 0), fan)
        return own


NAMES: dict[type[Node], Callable[..., str]] = {
    Map: lambda node: node.op.name,
    Sum: lambda node: "sum",
    Scan: lambda node: "recurrence",
    Call: lambda node: node.operation.name,
}


def name_of(node: Node) -> str:
    """Return what an operation is called in an explanation; nothing for what only moves elements."""
    return NAMES[type(node)](node) if type(node) in NAMES else ""
