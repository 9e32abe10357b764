"""Slots that meet at a point: ``x[i] - x[j]`` where i == j.

What is made of them in the same way is equal there, and its derivatives often cancel: a softened pole gives +1e12 and
-1e12 to one entry of the matrix. So they are added up with each other first, before anything else is added: at an
operation with two operands of one form, and where terms of a linear kernel go to one entry.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Load, Meeting, reachable
from sparsead.kernels.linear import LinearKernel, Term
from sparsead.kernels.nothing import NOTHING
from sparsead.program.scalar import OPS, Expr, having

MOST_NODES = 64  # of two expressions, to be compared
MOST_TERMS = 8  # of a sum, to be compared with each other
Pair = frozenset[IndexMap]


class Meetings:
    """Which expressions of a kernel are equal at some of its points, because the slots that they read meet there."""

    def __init__(self) -> None:
        self._meet: dict[Pair, bool] = {}

    def condition(self, first: Expr, second: Expr) -> Expr | None:
        """Return the condition that two different expressions of one form read the same; None if they never do."""
        pairs = self._pairs(first, second)
        return condition(pairs, first) if pairs else None

    def cancelling(self, expr: Expr) -> Expr | None:
        """Return the condition that the terms of a sum cancel, each with one of the other sign and the same form.

        It is a literal where they do at every point.
        """
        terms = _terms(expr)
        if terms is None:
            return None
        found: set[Pair] = set()
        negative = terms[1]
        for term in terms[0]:
            known = ((n, set[Pair]() if n is term else self._pairs(term, n)) for n in sorted(negative, key=_is(term)))
            partner, pairs = next(((n, pairs) for n, pairs in known if pairs is not None), (None, None))
            if partner is None or pairs is None:
                return None
            negative.remove(partner)
            found |= pairs
        return condition(found, expr) if found else expr.pool.constant(1.0)

    def _pairs(self, first: Expr, second: Expr) -> set[Pair] | None:
        """Return the index maps that have to agree for two expressions to be the same; None if they never are."""
        pairs: set[Pair] = set()
        pending, seen = [(first, second)], {(first.serial, second.serial)}
        while pending:
            a, b = map(_without_zero, pending.pop())
            if a is b:
                continue
            if a.op is not b.op or len(seen) > MOST_NODES:
                return None
            if a.op is not None:
                below = [(p, q) for p, q in zip(a.args, b.args, strict=True) if (p.serial, q.serial) not in seen]
                seen.update((p.serial, q.serial) for p, q in below)
                pending += below
            elif isinstance(a.value, Load) and isinstance(b.value, Load) and a.value.buffer is b.value.buffer:
                pairs.add(frozenset((a.value.index, b.value.index)))
            else:
                return None
        return pairs if pairs and all(map(self.meet, pairs)) else None

    def meet(self, pair: Pair) -> bool:
        """Tell whether two index maps agree at some point."""
        if pair not in self._meet:
            first, second = pair
            self._meet[pair] = first.meets(second)
        return self._meet[pair]


def _without_zero(expr: Expr) -> Expr:
    """Return what a sum is whose other term is zero, as it is of what was added to an array of zeros."""
    if expr.op is OPS["add"] and expr.args[0].equals(0.0):
        return _without_zero(expr.args[1])
    if expr.op in (OPS["add"], OPS["subtract"]) and expr.args[1].equals(0.0):
        return _without_zero(expr.args[0])
    return expr


def _terms(expr: Expr) -> tuple[list[Expr], list[Expr]] | None:
    """Return the terms of a sum by their sign; None where there are many, or not as many of each."""
    terms: tuple[list[Expr], list[Expr]] = [], []
    pending = [(expr, 0)]
    while pending and len(pending) + len(terms[0]) + len(terms[1]) <= MOST_TERMS:
        each, sign = pending.pop()
        if each.op in (OPS["add"], OPS["subtract"]):
            pending += [(each.args[1], sign ^ (each.op is OPS["subtract"])), (each.args[0], sign)]
        elif each.op is OPS["negative"]:
            pending.append((each.args[0], 1 - sign))
        elif not each.equals(0.0):
            terms[sign].append(each)
    return None if pending or len(terms[0]) != len(terms[1]) else terms


def _is(term: Expr) -> Callable[[Expr], bool]:
    """Return a key that puts a term itself before others."""
    return lambda other: other is not term


def condition(pairs: Iterable[Pair], beside: Expr) -> Expr:
    """Return the condition that index maps agree at a point, pair by pair."""
    ordered = sorted((sorted(pair, key=lambda m: repr(m.key)) for pair in pairs), key=lambda p: repr(p[0].key))
    first, *rest = [beside.pool.leaf(Meeting(*pair)) for pair in ordered]
    for other in rest:
        first = OPS["logical_and"](first, other)
    return first


def together(met: Expr, first: Expr, second: Expr) -> tuple[Expr, Expr]:
    """Return two coefficients of which the first takes the sum of both where a condition holds, and leaves nothing."""
    select = OPS["select"]
    total = _given(first, met, True) + _given(second, met, True)
    return select(met, total, _given(first, met, False)), select(met, NOTHING, _given(second, met, False))


def _given(value: Expr, met: Expr, holds: bool) -> Expr:
    """Return what a value is where a condition holds, or where it does not."""
    chosen = value.op is OPS["select"] and value.args[0] is met
    return value.args[1 if holds else 2] if chosen else value


def added_up(kernel: LinearKernel) -> LinearKernel:
    """Return a linear kernel in which terms that meet are added up with the first of them.

    That matters for terms that may be large beside others.
    """
    may_be_large = having((t.coefficient for t in kernel.terms), lambda e: e.op is not None and e.op.singular)
    large = [k for k, term in enumerate(kernel.terms) if term.coefficient.serial in may_be_large]
    meeting = _meeting(kernel.terms[k] for k in large)
    if not meeting or kernel.ordered:
        return kernel
    terms = list(kernel.terms)
    gone: list[set[frozenset[Pair]]] = [set() for _ in terms]  # where a term was added to another
    for a, b in itertools.combinations(large, 2):
        where = _where(terms[a], terms[b], meeting)
        if not where or where in gone[a] or where in gone[b]:
            continue
        first, second = terms[a].coefficient, terms[b].coefficient
        first, second = together(condition(where, first), first, second)
        terms[a], terms[b] = replace(terms[a], coefficient=first), replace(terms[b], coefficient=second)
        gone[b].add(where)
    return replace(kernel, terms=tuple(terms))


def mirrored(first: Term, second: Term) -> Expr:
    """Return the coefficient of the second of two terms that are mirror images of each other in a Hessian.

    It is that of the first, except where both go to one entry and one of them has taken over what the other had. Where
    terms meet others, a row may have taken over what its mirror image has not: then the second keeps its own.
    """
    if meets_others(first) or meets_others(second):
        return second.coefficient
    changed = any(isinstance(e.value, Meeting) for e in reachable([first.coefficient, second.coefficient]))
    if not changed or not first.place.meets(first.index):
        return first.coefficient
    met = condition([frozenset((first.place, first.index))], first.coefficient)
    return OPS["select"](met, second.coefficient, _given(first.coefficient, met, False))


def meets_others(term: Term) -> bool:
    """Tell whether a coefficient depends on where slots meet that are not the row and the column of its term."""
    own = {term.place, term.index}
    leaves = (e.value for e in reachable([term.coefficient]))
    return any(isinstance(leaf, Meeting) and not {leaf.first, leaf.second} <= own for leaf in leaves)


def _meeting(terms: Iterable[Term]) -> set[Pair]:
    """Return the pairs of different index maps into one buffer that agree at some points."""
    terms = list(terms)
    maps = dict.fromkeys([*((t.target, t.place) for t in terms), *((t.source, t.index) for t in terms)])
    return {
        frozenset((a, b))
        for (buffer, a), (other, b) in itertools.combinations(maps, 2)
        if buffer is other and a != b and a.meets(b)
    }


def _where(first: Term, second: Term, meeting: set[Pair]) -> frozenset[Pair]:
    """Return what has to agree for two terms to meet; nothing where they never do (or always)."""
    if first.target is not second.target or first.source is not second.source:
        return frozenset()
    sides = ((first.place, second.place), (first.index, second.index))
    pairs = frozenset(frozenset(side) for side in sides if side[0] != side[1])
    return pairs if pairs <= meeting else frozenset()
