"""What is added to the elements of an array, turn after turn, as one sum: ``for d in elements: f[d] += g(x[d])``.

Each addition reads what those before have left. An element that nothing but the next addition reads is a value on the
way: from the last one down, what is added along the way are the terms of a scatter-add, in the order in which NumPy
adds them. Terms that are alike can be stacked then, as they do not follow from one another any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sparsead.program.elements import Elements
from sparsead.program.index import Shape, narrowed, stored_part
from sparsead.program.moving import moved, renewed
from sparsead.program.nodes import Join, Map, Node, Program, Ref, Sum, constant, sources, whole
from sparsead.program.scalar import OPS


def accumulated(
    program: Program, additions: Sequence[Map], kinds: Mapping[int, int]
) -> tuple[Program, dict[int, list[Node]]]:
    """Return a program in which chains of additions are sums; the program itself if there are none.

    Parameters
    ----------
    program : Program
    additions : sequence of Map
        Those that may be on a chain.
    kinds : mapping
        By the serial number of a node, which nodes it is alike.

    Returns
    -------
    Program
    dict
        By the serial number of a sum, the additions that it is made of.
    """
    chains = _chains(program, additions)
    return _Rewriting(program, chains, kinds).run()


def additions_in(nodes: Iterable[Node], most: int) -> list[Map]:
    """Return the nodes that add numbers to elements, up to so many each."""
    return [node for node in nodes if isinstance(node, Map) and node.size <= most and _is_addition(node)]


def _is_addition(node: Map) -> bool:
    is_known = node.op.name in ("add", "subtract") and node.size > 0
    return is_known and not (node.integer or any(ref.node.boolean for ref in node.args))


@dataclass(frozen=True, eq=False)
class _Chains:
    """Additions, and how their elements follow from one another.

    Attributes
    ----------
    elements : Elements
        Those of all nodes, of additions first.
    labels : ndarray
        For each addition, which others it is connected with.
    before, added : ndarray
        For each element of the additions: what it is added to, and what is added.
    minus : ndarray of bool
        True where it is subtracted.
    first : ndarray of bool
        True where an element begins a chain, with another number than 0.0.
    last : ndarray
        The element at the end of its chain.
    """

    elements: Elements
    labels: np.ndarray
    before: np.ndarray
    added: np.ndarray
    minus: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def read(self) -> list[np.ndarray]:
        """Return the nodes of what connected additions add, and add to, by the label of these."""
        labels = self.labels[self.elements.owners(np.arange(self.last.size))]
        read = self.elements.owners(np.concatenate([self.before[self.first], self.added]))
        pairs = np.unique(np.stack([np.concatenate([labels[self.first], labels]), read]), axis=1)
        return np.split(pairs[1], np.flatnonzero(np.diff(pairs[0])) + 1)


def _chains(program: Program, additions: Sequence[Map]) -> _Chains:
    """Find the chains of some additions of a program."""
    nodes = program.nodes
    among = {node.serial for node in additions}
    others = [node for node in nodes if node.serial not in among]
    elements = Elements([*additions, *others])
    count = int(elements.starts[len(additions)])
    before, added = (elements.read([node.args[k] for node in additions]) for k in range(2))
    minus = np.repeat([node.op.name == "subtract" for node in additions], [node.size for node in additions])
    follows = before < count
    follows[follows] = _uses(program, nodes, elements, among, count)[before[follows]] == 1
    last = np.arange(count)
    last[before[follows]] = np.flatnonzero(follows)
    while not np.array_equal(further := last[last], last):
        last = further
    owners = elements.owners(np.arange(count))
    labels = _connected(np.stack([owners[follows], owners[before[follows]]]), len(additions))
    values = elements.known(before)
    first = ~follows & ((values != 0.0) | np.signbit(values))
    return _Chains(elements, labels, before, added, minus, first, last)


def _uses(
    program: Program, nodes: Sequence[Node], elements: Elements, among: Collection[int], count: int
) -> np.ndarray:
    """Return how often each of the first `count` elements, which are those of nodes `among` all, is read."""
    reached = set(among)
    refs = [program.output]
    for node in nodes:
        if not isinstance(node, Join):
            refs += node.operands
        elif any(piece.serial in reached for piece in node.pieces):
            reached.add(node.serial)
    refs = [ref for ref in refs if ref.node.serial in reached and ref.index.size]
    stored = [Ref(ref.node, stored_part(ref.index)) for ref in refs]
    sizes = [ref.index.size for ref in stored]
    times = [ref.index.size // size for ref, size in zip(refs, sizes, strict=True)]
    numbers = elements.read(stored)
    mine = numbers < count
    return np.bincount(numbers[mine], np.repeat(times, sizes)[mine], minlength=count)


class _Rewriting:
    """A program written anew: with one sum for all chains that are equally deep and add what is alike.

    Its units are nodes, by their number, and connected additions, by their label after these.
    """

    def __init__(self, program: Program, chains: _Chains, kinds: Mapping[int, int]) -> None:
        self.program = program
        self.chains = chains
        self.nodes = chains.elements.nodes
        self.number = {node.serial: k for k, node in enumerate(self.nodes)}
        self.read = chains.read()
        self.kinds = [{kinds[self.nodes[k].serial] for k in read} for read in self.read]
        self.members = split(chains.labels)
        self.places: dict[int, Ref] = {}
        self.made: dict[int, list[Node]] = {}

    def run(self) -> tuple[Program, dict[int, list[Node]]]:
        """Return the program, and what its sums are made of; the program as it was, if these would read themselves."""
        chosen = self.chosen()
        for level in self.levels(chosen) if chosen.any() else ():
            for unit in sorted(unit for unit in level if unit < len(self.number)):
                node = self.nodes[unit]
                self.places[node.serial] = renewed(node, self.places)
            for labels in self.together(self.labels_in(level)):
                self.sum_up(np.sort(np.concatenate([self.members[k] for k in labels])))
        if self.program.output.node.serial not in self.places:
            return self.program, {}
        return replace(self.program, output=moved(self.program.output, self.places)), self.made

    def chosen(self) -> np.ndarray:
        """Tell which connected additions are to be sums: not those that read themselves, and single ones beside others.

        A single one that begins with another number than 0.0 stays what it is.
        """
        several = np.array([members.size > 1 for members in self.members])
        plain = np.ones_like(several)
        plain[self.chains.labels[self.chains.elements.owners(np.flatnonzero(self.chains.first))]] = False
        chosen = np.zeros_like(several)
        for level in self.levels(several | plain):
            for labels in self.together(self.labels_in(level)):
                chosen[labels] = several[labels].any()
        return chosen

    def labels_in(self, level: Sequence[int]) -> list[int]:
        """Return the labels of the connected additions among some units."""
        return sorted(unit - len(self.number) for unit in level if unit >= len(self.number))

    def levels(self, chosen: np.ndarray) -> list[list[int]]:
        """Return the units that the output needs by their depth; chosen additions are one, others are nodes."""
        unit = np.arange(len(self.number))
        labels = self.chains.labels
        unit[: labels.size] = np.where(chosen[labels], len(self.number) + labels, unit[: labels.size])
        needs: dict[int, set[int]] = {}
        pending = {int(unit[self.number[self.program.output.node.serial]])}
        while pending:
            reader = pending.pop()
            needs[reader] = set(unit[self.below(reader)].tolist())
            pending |= {other for other in needs[reader] if other not in needs}
        return _levels(needs)

    def below(self, unit: int) -> Sequence[int]:
        """Return the numbers of the nodes that a unit reads."""
        if unit >= len(self.number):
            below: list[int] = self.read[unit - len(self.number)].tolist()
            return below
        return [self.number[source.serial] for source in sources(self.nodes[unit])]

    def together(self, labels: Sequence[int]) -> list[np.ndarray]:
        """Return which of some connected additions add what is alike."""
        kinds = [self.kinds[label] for label in labels]
        if not kinds:
            return []
        number = {kind: len(labels) + k for k, kind in enumerate(set().union(*kinds))}
        edges = np.array([(k, number[kind]) for k, found in enumerate(kinds) for kind in found]).T
        return [np.array(labels)[part] for part in split(_connected(edges, len(labels) + len(number))[: len(labels)])]

    def sum_up(self, members: np.ndarray) -> None:
        """Let some additions be read of a sum of what they add."""
        chains, elements = self.chains, self.chains.elements
        mine = np.concatenate([np.arange(*elements.starts[k : k + 2]) for k in members])
        rows, row = np.unique(chains.last[mine], return_inverse=True)
        first, minus, added = chains.first[mine], chains.minus[mine], chains.added[mine]
        if minus.any():
            added[minus] = self.opposite(added[minus], {self.nodes[k].shape for k in members})
        terms = self.reading(np.concatenate([chains.before[mine[first]], added]))
        place = narrowed(np.concatenate([row[first], row]))
        node = Sum(shape=rows.shape, terms=terms, place=place, origin=self.nodes[members[-1]].origin)
        self.made[node.serial] = [self.nodes[k] for k in members]
        ends = np.cumsum([self.nodes[k].size for k in members])[:-1]
        for k, part in zip(members, np.split(narrowed(row), ends), strict=True):
            self.places[self.nodes[k].serial] = Ref(node, part.reshape(self.nodes[k].shape))

    def opposite(self, numbers: np.ndarray, shapes: Collection[Shape]) -> np.ndarray:
        """Return new elements, those of an array with the opposite signs, in rows of a shape that all have."""
        ref = self.reading(numbers)
        index = ref.index.reshape(-1, *next(iter(shapes))) if len(shapes) == 1 else ref.index
        node = Map(shape=index.shape, op=OPS["negative"], args=(Ref(ref.node, index),), origin=ref.node.origin)
        self.places[node.serial] = whole(node)
        return self.chains.elements.added(node)

    def reading(self, numbers: np.ndarray) -> Ref:
        """Return the reading of elements, where they are in the new program; what is known is one constant."""
        values = self.chains.elements.known(numbers)
        known = ~np.isnan(values)
        if known.any():
            node = constant(values[known])
            self.places[node.serial] = whole(node)
            numbers[known] = self.chains.elements.added(node)
        ref = self.chains.elements.reading(numbers)
        return renewed(ref.node, self.places) if isinstance(ref.node, Join) else moved(ref, self.places)


def _connected(edges: np.ndarray, size: int) -> np.ndarray:
    """Return labels of the connected components of a graph of so many nodes."""
    graph = coo_array((np.ones(edges.shape[1]), tuple(edges)), (size, size))
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels


def split(labels: np.ndarray) -> list[np.ndarray]:
    """Return where each label is; labels are 0, 1, and so on."""
    return np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])


def _levels(needs: dict[int, set[int]]) -> list[list[int]]:
    """Return units by their depth: above all that they need. What needs itself, and what needs that, is left out."""
    readers: dict[int, list[int]] = defaultdict(list)
    missing = {unit: len(read) for unit, read in needs.items()}
    for unit, read in needs.items():
        for other in read:
            readers[other].append(unit)
    levels, ready = [], [unit for unit, count in missing.items() if not count]
    while ready:
        levels.append(ready)
        ready = []
        for reader in (reader for unit in levels[-1] for reader in readers[unit]):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
    return levels
