"""Elements that several points of a loop add to, computed by a point that owns them.

In the loops of a regular domain, what point q + d adds to the elements of point q is the same statement for all q. So
point q can compute these terms itself, in the order of the loop, and needs no array of terms. Which points can is
looked up in what the loop touches: those whose elements get the expected terms, and no others. The terms of all others
are kept (see `sparsead.emit.terms`), by a loop over the points that have any.

Regular additions were turned around before, as kernels, for every back end: see `sparsead.sweeps.scatter_to_gather`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coloring.cached import cached_property
from sparsead.emit.accesses import Access, Accesses
from sparsead.emit.indices import formula
from sparsead.emit.neighbours import Copy, Shared, Term, listed_loop, stores_elements
from sparsead.emit.threads import REACH, most_left_out

FEWEST = 64  # points of a loop from which on owners are looked for
MOST_COPIES = 16  # copies of the body that an owner may run: one for each shift between points
FEWEST_SHARING = 1024  # owners from which on neighbours share what they compute
WORTH = 50  # statements that may be computed again, for each term that is not kept
LEFT_OUT = 16  # one in so many points, where no points meet
FAR = 256  # distances from the first element of an owner that are told apart
SAMPLE = 999  # points that are looked at to find out what is usual


@dataclass(frozen=True, eq=False)
class Owners:
    """The points of a loop that own elements, and how they compute these.

    Attributes
    ----------
    count : int
        How many points the loop has.
    points : ndarray
        The owners.
    slots : ndarray
        As a mask: their elements.
    added : ndarray
        Those of them that are added to, and not set first.
    rest : ndarray
        The points that have terms for other elements.
    """

    loop: ast.For
    count: int
    terms: tuple[Term, ...]
    base: ast.expr
    points: np.ndarray
    slots: np.ndarray
    added: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(
        cls,
        loop: ast.For,
        accesses: Accesses,
        kept: Sequence[Access],
        waiting: np.ndarray | None,
        contested: bool,
    ) -> Owners | None:
        """Return the owners among the points of a loop; None if there are not enough, or if they are not worth it.

        Where no points meet, each computes its own elements, and the gain is that most points do so in one order, which
        is known, and add up before they store.

        Parameters
        ----------
        loop, accesses
            The loop, and what it touches.
        kept : sequence of Access
            Its stores to one array.
        waiting : ndarray, optional
            As a mask: the elements that terms of earlier loops wait for.
        contested : bool
            Whether several points store to one of these elements, or terms wait for it.
        """
        if accesses.points < FEWEST or not _is_plain(loop, accesses, kept):
            return None
        if not (contested or _gains(loop, kept)):
            return None
        slots = [a.slot for a in kept]
        usual = _usual(slots)
        if usual is None or len({shift for shift, _ in usual[1].values()}) > MOST_COPIES:
            return None
        anchor, chosen = usual
        base, pairs = slots[anchor], list(chosen.values())
        if not contested and any(shift for shift, _ in pairs):
            return None
        complete = _complete(slots, base, chosen, waiting)
        points = np.flatnonzero(complete)
        if points.size * (2 if contested else LEFT_OUT) < accesses.points * (1 if contested else LEFT_OUT - 1):
            return None
        order = {id(statement): number for number, statement in enumerate(loop.body)}
        terms = tuple(
            Term(a.statement, order[id(a.statement)], shift, rank, a.kind == "store")  # type: ignore[arg-type]
            for a, (shift, rank) in ((kept[k], pair) for k, pair in chosen.items())
        )
        owned = np.zeros(max(int(s.max()) for s in slots) + 1, np.bool_)
        added = np.zeros_like(owned)
        for rank in {rank for _, rank in pairs}:
            owned[base[points] + rank] = True
            added[base[points] + rank] = not any(t.fresh for t in terms if t.rank == rank)
        left = np.logical_or.reduce([~owned[slots[k]] for k in chosen])
        place = _place(kept[anchor].statement).slice  # type: ignore[arg-type]
        made = cls(loop, accesses.points, terms, place, points, owned, added, np.flatnonzero(left))
        return made if made._again <= WORTH * len(terms) else None

    @property
    def _again(self) -> int:
        """How many statements are computed again, because several owners need them."""
        if self.layer is not None:
            return self.layer.statements - len(self.loop.body)
        return self._copied

    @property
    def _copied(self) -> int:
        """The same where each owner computes all for itself."""
        copies = {shift: Copy(self.loop, number) for number, shift in enumerate({t.shift for t in self.terms})}
        for term in self.terms:
            copies[term.shift].expression(term.statement.value)
        return sum(len(list(copy.lines())) for copy in copies.values()) - len(self.loop.body)

    @property
    def _alone(self) -> bool:
        """True if each point computes its own elements only: the points that are left do all of theirs."""
        return not any(t.shift for t in self.terms)

    @property
    def _others(self) -> list[ast.stmt]:
        own = {id(t.statement) for t in self.terms}
        return [s for s in self.loop.body if id(s) not in own and stores_elements(s)]

    @cached_property
    def layer(self) -> Shared | None:
        """What neighbouring owners share, computed once for all of them; None if they share nothing, or too much."""
        if self.points.size < FEWEST_SHARING or formula(self.points, "turn") is None:
            return None
        layer = Shared.of(self.loop, self.count, self.terms)
        return layer if layer is not None and layer.reach + most_left_out(self.points) <= REACH else None

    def owner_loop(self, chosen: str, counter: str, begin: str | None) -> ast.For:
        """Return the loop over owners; `chosen` is the code of the owner by the counter.

        Elements that are added to begin with a constant, if one is given. What neighbours share is read in ``kept``.
        """
        assert isinstance(self.loop.target, ast.Name)
        shifts = sorted({t.shift for t in self.terms} | {0})
        copies = {shift: Copy(self.loop, number) for number, shift in enumerate(shifts)}
        base = copies[0].expression(self.base)

        def code(term: Term) -> str:
            if self.layer is not None:
                return f"kept[{self.layer.place(term, 'owner')}]"
            return copies[term.shift].expression(term.statement.value)

        sums, stores = [], []
        for number, rank in enumerate(sorted({t.rank for t in self.terms})):
            place = f"{ast.unparse(_place(self.terms[0].statement).value)}[base + {rank}]"
            terms: list[str] = []
            for term in sorted((t for t in self.terms if t.rank == rank), key=lambda t: (t.shift, t.number)):
                before = [] if term.fresh else terms or [begin or place]
                terms = [*before, code(term)]
            sums += [f"sum{number}_0 = {terms[0]}"]
            sums += [f"sum{number}_{k} = sum{number}_{k - 1} + ({terms[k]})" for k in range(1, len(terms))]
            stores += [f"{place} = sum{number}_{len(terms) - 1}"]
        for statement in self._others if self._alone else ():
            assert isinstance(statement, ast.Assign | ast.AugAssign)
            place, value = (copies[0].expression(e) for e in (_place(statement), statement.value))
            stores.append(f"{place} {'=' if isinstance(statement, ast.Assign) else '+='} {value}")
        lines = [f"owner = {chosen}"]
        for shift, copy in copies.items():
            if shift == 0 or self.layer is None:
                lines += [f"{copy.renamed(self.loop.target.id)} = owner + {shift}", *copy.lines()]
        return listed_loop(counter, self.points.size, [*lines, f"base = {base}", *sums, *stores])

    def rest_loop(self, chosen: str, counter: str) -> ast.For:
        """Return the loop, over the points alone that have terms for elements without owner: only these statements."""
        assert isinstance(self.loop.target, ast.Name)
        others = set() if self._alone else {id(s) for s in self._others}
        body = [ast.unparse(s) for s in self.loop.body if id(s) not in others]
        return listed_loop(counter, self.rest.size, [f"{self.loop.target.id} = {chosen}", *body])

    def other_loop(self) -> ast.For | None:
        """Return the loop without these statements; None if nothing is left to do."""
        if self._alone or not self._others:
            return None
        own = {id(t.statement) for t in self.terms}
        body = [s for s in self.loop.body if id(s) not in own]
        return ast.copy_location(ast.For(self.loop.target, self.loop.iter, body, []), self.loop)


def _place(statement: ast.Assign | ast.AugAssign) -> ast.Subscript:
    """Return where a statement stores."""
    (place,) = statement.targets if isinstance(statement, ast.Assign) else (statement.target,)
    assert isinstance(place, ast.Subscript)
    return place


# -- what is usual, and where ---------------------------------------------------------------------------------
def _is_plain(loop: ast.For, accesses: Accesses, kept: Sequence[Access]) -> bool:
    """Tell whether all points, counted from 0, run the same statements, which name each number once.

    They must read nothing that the loop writes.
    """
    names = [s.targets[0].id for s in loop.body if not stores_elements(s)]  # type: ignore[attr-defined]
    return (
        len(loop.iter.args) == 1  # type: ignore[attr-defined]
        and all(isinstance(s, ast.Assign | ast.AugAssign) for s in loop.body)
        and len(set(names)) == len(names)
        and all(len(a.path) == 1 for a in kept)
        and all(a.kind != "read" for a in accesses.found)
    )


def _gains(loop: ast.For, kept: Sequence[Access]) -> bool:
    """Tell whether points that do not meet gain: if they add, or if where they store is more than arithmetic."""
    one = Copy(loop, 0)
    codes = [one.expression(_place(a.statement).slice) for a in kept]  # type: ignore[arg-type]
    return any(a.kind == "add" for a in kept) or any("[" in code or "(" in code for code in (*one.lines(), *codes))


def _usual(slots: Sequence[np.ndarray]) -> tuple[int, dict[int, tuple[int, int]]] | None:
    """Return a statement whose elements grow with the points, and where the terms of those near it mostly go.

    This is the distance of the owner from the point, and the distance of the element from that of the owner. The
    chosen statement is one that has most others near it: a row of a matrix, if there are several.
    """
    points = slots[0].size
    sample = np.unique(np.random.default_rng(0).integers(0, points, SAMPLE))
    best: tuple[tuple[int, int, int], int, dict[int, tuple[int, int]]] | None = None
    for number, base in enumerate(slots):
        if not (np.diff(base[sample]) > 0).all() or not (np.diff(base) > 0).all():
            continue
        near = {}
        for k, slot in enumerate(slots):
            owner = np.maximum(np.searchsorted(base, slot[sample], side="right") - 1, 0)
            pairs = (sample - owner) * FAR + np.clip(slot[sample] - base[owner], -1, FAR - 1)
            kinds, counts = np.unique(pairs, return_counts=True)
            shift, rank = divmod(int(kinds[counts.argmax()]), FAR)
            if rank < FAR - 1 and 2 * counts.max() > sample.size:
                near[k] = shift, rank
        ranks = [rank for _, rank in near.values()]
        cost = -len(near), max(ranks) - min(ranks), len({shift for shift, _ in near.values()})
        if best is None or cost < best[0]:
            best = cost, number, near
    return None if best is None else best[1:]


def _complete(
    slots: Sequence[np.ndarray], base: np.ndarray, chosen: Mapping[int, tuple[int, int]], waiting: np.ndarray | None
) -> np.ndarray:
    """Return which points get all terms that are usual of the chosen statements, and no others of any."""
    pairs = chosen.values()
    size = max(int(s.max()) for s in slots) + 1 + max(rank for _, rank in pairs)
    counts = np.zeros(size, np.int64)
    for slot in slots:
        counts += np.bincount(slot, minlength=size)
    if waiting is not None:
        counts[: waiting.size][waiting[:size]] = -1
    complete = np.ones(base.size, np.bool_)
    for rank in {rank for _, rank in pairs}:
        place = base + rank
        expected = sum(other == rank for _, other in pairs)
        complete &= (place >= 0) & (counts[np.maximum(place, 0)] == expected)
    for k, (shift, rank) in chosen.items():
        inside = slice(max(-shift, 0), base.size - max(shift, 0))
        whence = slice(max(shift, 0), base.size + min(shift, 0))
        met = np.zeros(base.size, np.bool_)
        met[inside] = slots[k][whence] == base[inside] + rank
        complete &= met
    return complete
