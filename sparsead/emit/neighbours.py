"""What neighbouring points compute of each other's terms: copies of the body of a loop, for other points.

Shifts in a row need one copy: point q + d + 1, which has a term for the owner q, is point q + 1 + d for the next owner.
So each point computes the terms of one copy, and its block shares them, see `sparsead.emit.tiles`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sparsead.emit.parsing import parse, walk

MOST_SHARED = 16  # numbers of a point that neighbouring owners share


@dataclass(frozen=True)
class Term:
    """What a statement of the loop adds to the elements of the point that owns it: point q + `shift` adds it at `rank`.

    Attributes
    ----------
    number : int
        The place of the statement among those of a point.
    rank : int
        How far the element is from the first statement's of the owner.
    fresh : bool
        True if the element is set to it.
    """

    statement: ast.Assign | ast.AugAssign
    number: int
    shift: int
    rank: int
    fresh: bool


@dataclass(frozen=True, eq=False)
class Shared:
    """What neighbouring owners share: what point q adds to its owner's elements and to those of the owners before it.

    Shifts in a row, as many in each, need one copy of the body, at the first of them. What the copies compute is kept:
    `codes` for each place in `loop`, which is over the points of the first copy.

    Attributes
    ----------
    rows : dict
        For each shift the first in its row.
    codes : list of (int, str)
        What is kept: of the copy for this row, the code of the term.
    """

    loop: ast.For
    points: int
    rows: dict[int, int]
    codes: list[tuple[int, str]]

    @classmethod
    def of(cls, loop: ast.For, points: int, terms: Sequence[Term]) -> Shared | None:
        """Return what owners share; None if there is nothing, or too much to be kept."""
        shifts = sorted({t.shift for t in terms})
        rows = {shift: shift for shift in shifts}
        for shift in shifts:
            rows[shift] = rows.get(shift - 1, shift)
        counts = Counter(rows.values())
        if len(set(counts.values())) > 1 or len(counts) == len(shifts):
            return None
        codes = sorted({(rows[t.shift], ast.unparse(t.statement.value)) for t in terms})
        return cls(loop, points, rows, codes) if len(codes) <= MOST_SHARED else None

    def place(self, term: Term, owner: str) -> str:
        """Return where a term for an owner is kept."""
        row = self.rows[term.shift]
        number = self.codes.index((row, ast.unparse(term.statement.value)))
        return f"{len(self.codes)} * ({owner} + {self._first + term.shift - row}) + {number}"

    @property
    def _first(self) -> int:
        return min(self.rows)

    @property
    def reach(self) -> int:
        """How many owners before its own a point adds to."""
        return max(shift - row for shift, row in self.rows.items())

    @property
    def statements(self) -> int:
        """How many statements a point has."""
        return len(self.lines("kept", "q"))

    @property
    def size(self) -> int:
        """How many points have all their copies."""
        return self.points - (max(self.rows.values()) - self._first)

    def layer_loop(self, kept: str, counter: str) -> ast.For:
        """Return the loop that computes what is kept, in an array of this name."""
        return listed_loop(counter, self.size, self.lines(kept, counter))

    def lines(self, kept: str, counter: str) -> list[str]:
        """Return what the loop of the layer does at a point."""
        assert isinstance(self.loop.target, ast.Name)
        lines, stores = [], []
        for number, row in enumerate(sorted(set(self.rows.values()))):
            copy = Copy(self.loop, number)
            for k, (of, code) in enumerate(self.codes):
                if of == row:
                    value = copy.expression(parse(code, mode="eval").body)
                    stores.append(f"{kept}[{len(self.codes)} * {counter} + {k}] = {value}")
            lines += [f"{copy.renamed(self.loop.target.id)} = {counter} + {row - self._first}", *copy.lines()]
        return [*lines, *stores]


def listed_loop(counter: str, count: int, lines: Sequence[str]) -> ast.For:
    """Return a loop of some lines."""
    (loop,) = parse("\n".join([f"for {counter} in range({count}):", *(f"    {line}" for line in lines)])).body
    assert isinstance(loop, ast.For)
    return loop


class Copy:
    """A copy of what a loop computes, with names of its own, for a point that is not the thread's."""

    def __init__(self, loop: ast.For, number: int) -> None:
        assert isinstance(loop.target, ast.Name)
        self._number, self._needed = number, set[str]()
        self._set = {s.targets[0].id: s.value for s in loop.body if not stores_elements(s)}  # type: ignore[attr-defined]
        self._own = {*self._set, loop.target.id}

    def renamed(self, name: str) -> str:
        """Return what the copy calls a name of the loop."""
        return f"{name}_at{self._number}"

    def expression(self, node: ast.expr) -> str:
        """Return an expression of the loop with the names of the copy; what it needs will be computed."""
        self._need(node)
        return self._code(node)

    def lines(self) -> Iterator[str]:
        """Yield what computes all that is needed."""
        for name, value in self._set.items():
            if name in self._needed:
                yield f"{self.renamed(name)} = {self._code(value)}"

    def _need(self, node: ast.expr) -> None:
        pending = [node]
        while pending:
            for name in walk(pending.pop()):
                if isinstance(name, ast.Name) and name.id in self._set and name.id not in self._needed:
                    self._needed.add(name.id)
                    pending.append(self._set[name.id])

    def _code(self, node: ast.expr) -> str:
        new = parse(ast.unparse(node), mode="eval").body
        for name in walk(new):
            if isinstance(name, ast.Name) and name.id in self._own:
                name.id = self.renamed(name.id)
        return ast.unparse(new)


def stores_elements(statement: ast.stmt) -> bool:
    """Tell whether a statement does not set a name."""
    return not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name))
