"""Additions of many points to one element, in the order of the loops: kept by those who have them, added by an owner.

A statement ``a[j] += v`` of a loop becomes ``terms[k] = v``, with a place k of its own for each point. When all loops
have run, one thread for each element j adds up its terms. Terms of several loops wait in one array until somebody reads
the elements.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sparsead.emit.accesses import Access, Inner
from sparsead.emit.parsing import parse, walk

MOST_ALIKE = 12  # terms of elements that are added up without a loop
FEWEST_ALIKE = 256  # elements of as many terms from which on these have a grid of their own


@dataclass(eq=False)
class Waiting:
    """The terms that wait to be added to the elements of an array.

    Attributes
    ----------
    name : str
        The array that holds them, `size` in all.
    parts : list of (ndarray, ndarray, ndarray)
        Of each loop: the elements that its terms go to, sorted, and those of one element in the order of the loop;
        where each term is kept; whether the element is set to it.
    """

    name: str
    size: int = 0
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    @property
    def mask(self) -> np.ndarray:
        """Which elements they go to."""
        mask = np.zeros(1 + max(int(slot[-1]) for slot, _, _ in self.parts), np.bool_)
        for slot, _, _ in self.parts:
            mask[slot] = True
        return mask

    def owned(self) -> Iterator[Owned]:
        """Yield the elements with their terms: of those that begin with a term that is set, and of those without."""
        slot, term, stored = (np.concatenate(arrays) for arrays in zip(*self.parts, strict=True))
        order = np.argsort(slot, kind="stable")
        slot, term, stored = slot[order], term[order], stored[order]
        is_first = np.diff(slot, prepend=-1) != 0
        first = np.flatnonzero(is_first)
        begin, end = first.copy(), np.append(first[1:], slot.size)
        np.maximum.at(begin, (np.cumsum(is_first) - 1)[stored], np.flatnonzero(stored))  # what comes before is gone
        counts = end - begin
        for fresh in (True, False):
            left = stored[begin] == fresh
            for count in np.flatnonzero(np.bincount(counts[left], minlength=1) >= FEWEST_ALIKE):
                if count <= MOST_ALIKE:
                    chosen = np.flatnonzero(left & (counts == count))
                    entries = begin[chosen] + np.arange(count)[:, None]
                    yield Owned(fresh, slot[first[chosen]], term[entries].reshape(-1), None)
                    left[chosen] = False
            chosen = np.flatnonzero(left)
            if chosen.size:
                start = np.concatenate([[0], np.cumsum(counts[chosen])])
                entries = np.arange(start[-1]) - np.repeat(start[:-1] - begin[chosen], counts[chosen])
                yield Owned(fresh, slot[first[chosen]], term[entries], start)


@dataclass(frozen=True, eq=False)
class Owned:
    """Elements with their terms; a `fresh` one is set to the first.

    Element k of n has the terms k, k + n, .. or, where their numbers differ, those from ``start[k]`` to
    ``start[k + 1]``.
    """

    fresh: bool
    slot: np.ndarray
    term: np.ndarray
    start: np.ndarray | None

    @property
    def mask(self) -> np.ndarray:
        """Which elements these are."""
        mask = np.zeros(int(self.slot.max()) + 1, np.bool_)
        mask[self.slot] = True
        return mask

    def text(self, before: str | None) -> str:
        """Return the loop that adds them up; what is not fresh is `before`, or what it is already, until then."""
        count = self.slot.size
        lines = ["place = slot[i]"]
        sums = [] if self.fresh else [before or "target[place]"]
        if self.start is None:
            lines += [f"t{k} = terms[term[i + {k * count}]]" for k in range(self.term.size // count)]
            sums += [f"t{k}" for k in range(self.term.size // count)]
            lines.append(f"target[place] = {' + '.join(sums)}")
        else:
            lines += ["begin = start[i]", "end = start[i + 1]", f"total[0] = {(*sums, 'terms[term[begin]]')[0]}"]
            lines.append(f"for e in range(begin + {int(self.fresh)}, end):")
            lines += ["    total[0] += terms[term[e]]", "target[place] = total[0]"]
        return "\n".join([f"    for i in range({count}):", *(f"        {line}" for line in lines)])


class Keeping:
    """A loop some of whose statements keep their numbers as terms.

    Parameters
    ----------
    loop : ast.For
        The loop. `change` changes it.
    points : int
        How many points it has.

    Attributes
    ----------
    firsts : dict
        Tables that the changed loop reads: where the terms of each point begin.
    """

    def __init__(self, loop: ast.For, points: int) -> None:
        assert isinstance(loop.target, ast.Name)
        self.loop, self.points, self.counter = loop, points, loop.target.id
        self.firsts: dict[str, np.ndarray] = {}
        self.arrays: dict[str, str] = {}  # parameter -> array of terms
        self._kept: dict[int, ast.stmt] = {}

    def keep(self, access: Access, waiting: Waiting) -> np.ndarray:
        """Let a statement keep its terms; return the place of each.

        Terms of neighbouring points lie side by side where each point has the same number of them.
        """
        if len(access.inner) > 1:
            raise AssertionError("a loop in a loop in a point")
        if access.inner:
            code, found, size = self._in_loop(access.inner[0], access.point, waiting.size)
        else:
            code, found, size = f"{waiting.size} + {self.counter}", waiting.size + access.point, self.points
        waiting.size += size
        self.arrays[waiting.name] = waiting.name
        statement = access.statement
        assert isinstance(statement, ast.Assign | ast.AugAssign)
        self._kept[id(statement)] = parse(f"{waiting.name}[{code}] = {ast.unparse(statement.value)}").body[0]
        return found

    def change(self) -> None:
        """Put the new statements into the loop."""
        for node in walk(self.loop):
            if isinstance(node, ast.For | ast.If):
                node.body = [self._kept.get(id(statement), statement) for statement in node.body]

    def _in_loop(self, inner: Inner, point: np.ndarray, base: int) -> tuple[str, np.ndarray, int]:
        turn, turns = f"({inner.counter} - ({ast.unparse(inner.start)}))", inner.turns
        if (turns == turns[0]).all():
            code = f"{base} + {self.points} * {turn} + {self.counter}"
            return code, base + self.points * inner.turn + point, self.points * int(turns[0])
        first, name = np.concatenate([[0], np.cumsum(turns)]), f"first{len(self.firsts)}"
        self.firsts[name] = base + first[:-1]
        return f"{name}[{self.counter}] + {turn}", base + first[point] + inner.turn, int(first[-1])
