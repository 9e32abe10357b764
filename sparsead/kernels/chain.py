"""The chain rule over one expression, in which a choice between operands decides what counts.

A weight that arrives at an operand which was not chosen is no number near zero: it does not count, whatever it is
multiplied by on its way. So conditions are collected beside the weights, and weights are cut off by them at the end.
No ``np.where`` then needs a second one around its argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sparsead.kernels.kernel import Load, reachable
from sparsead.kernels.meetings import Meetings
from sparsead.kernels.nothing import NOTHING, computed, is_finite
from sparsead.program.scalar import OPS, Expr

Coefficients = dict[Expr, Expr]
Way = tuple[tuple[Expr, bool], ...]  # conditions, each with the answer at which a weight counts
Weights = dict[Way, Expr]


class Chain:
    """The partial derivatives of expressions of one kernel with respect to its active loads.

    Reverse accumulation over each expression (Griewank & Walther 2008, section 3.2). In an `absorbing` program a
    coefficient that does not count is nothing, and no other one is.
    """

    def __init__(self, is_active: Callable[[Load], bool], absorbing: bool = False) -> None:
        self.is_active = is_active
        self.absorbing = absorbing
        self.meetings = Meetings()
        self._found: dict[int, Coefficients] = {}

    def coefficients(self, root: Expr) -> Coefficients:
        """Return the partial derivatives of an expression, without those that are zero for every x."""
        if root.serial not in self._found:
            self._found[root.serial] = {leaf: c for leaf, c in self._accumulated(root).items() if not c.equals(0.0)}
        return self._found[root.serial]

    def _accumulated(self, root: Expr) -> Coefficients:
        order = reachable([root])
        below = _Below(order, self)
        if root.serial not in below.active:
            return {}
        weights: dict[int, Weights] = {root.serial: {(): root.pool.constant(1.0)}}
        found: Coefficients = {}
        for expr in reversed(order):
            if expr.serial not in weights:
                continue
            way, weight = _one_way(weights.pop(expr.serial))
            if expr.op is None:
                found[expr] = where(way, computed(weight), NOTHING) if self.absorbing else where(way, weight)
                continue
            for arg, more, amount in below.passed(expr, weight):
                if arg.serial in below.active and not amount.equals(0.0):
                    ways, longer = weights.setdefault(arg.serial, {}), (*way, *(m for m in more if m not in way))
                    ways[longer] = ways[longer] + amount if longer in ways else amount
        return found


class _Below:
    """What lies below each expression: active loads, and factors that may be infinite or NaN."""

    def __init__(self, order: list[Expr], chain: Chain) -> None:
        self.chain = chain
        self.active: set[int] = set()
        self.partials: dict[int, list[tuple[Expr, Expr]]] = {}
        self.varying: set[int] = set()  # a partial derivative on the way down is no number that is known to be finite
        self.vanishing: dict[int, Expr | None] = {}  # the condition that slots meet at which one is 0, whatever x is
        for expr in order:
            if expr.op is None:
                active = isinstance(expr.value, Load) and chain.is_active(expr.value)
            else:
                known = [a.serial in self.active or a.serial in self.vanishing for a in expr.args]
                fixed = any(known) and self._is_fixed(expr)
                active = not fixed and any(a.serial in self.active for a in expr.args)
            if active:
                self.active.add(expr.serial)
                self._add(expr)

    def _add(self, expr: Expr) -> None:
        args = [a for a in expr.args if a.serial in self.active]
        if expr.op is not None and expr.op.choice is None:
            rules = zip(expr.args, expr.op.partials, strict=True)
            known = [(a, r(*expr.args)) for a, r in rules if r is not None and a.serial in self.active]
            self.partials[expr.serial] = known
            if not all(partial.is_constant and is_finite(partial) for _, partial in known):
                self.varying.add(expr.serial)
        if any(a.serial in self.varying for a in args):
            self.varying.add(expr.serial)

    def passed(self, expr: Expr, weight: Expr) -> Iterable[tuple[Expr, Way, Expr]]:
        """Return what a weight becomes at the operands, each with the conditions that are to be remembered."""
        assert expr.op is not None
        if expr.op.choice is None:
            passed = [(arg, weight * partial) for arg, partial in self.partials[expr.serial]]
            ways: list[Way] = [self._unequal(expr)] * len(passed)
        else:
            condition, *sides = expr.op.choice(*expr.args)
            ways = [((condition, True),), ((condition, False),)]
            passed = [(side, weight) for side in sides]
        if expr.serial in self.varying or self.chain.absorbing:
            return [(arg, way, amount) for (arg, amount), way in zip(passed, ways, strict=True)]
        return [(arg, (), where(way, amount)) for (arg, amount), way in zip(passed, ways, strict=True)]

    def _is_fixed(self, expr: Expr) -> bool:
        """Tell whether an expression is 0 or 1 at every point, whatever x is."""
        met = self.vanishing[expr.serial] = self._vanishes(expr)
        return (met is not None and met.is_constant) or (expr.op is OPS["divide"] and expr.args[0] is expr.args[1])

    def _unequal(self, expr: Expr) -> Way:
        """Return where a sum, a product or a quotient counts: not where it is 0, or 1, because slots below it meet."""
        met = self.vanishing[expr.serial]
        if met is None and expr.op is OPS["divide"]:
            met = self.chain.meetings.condition(*expr.args)
        return () if met is None else ((met, False),)

    def _vanishes(self, expr: Expr) -> Expr | None:
        """Return the condition at which an expression is 0 because slots below it meet, if it may be."""
        if expr.op in (OPS["add"], OPS["subtract"]):
            return self.chain.meetings.cancelling(expr)
        of_args = [self.vanishing.get(a.serial) for a in expr.args]
        if expr.op in (OPS["negative"], OPS["divide"]):
            return of_args[0]
        return of_args[0] or of_args[1] if expr.op is OPS["multiply"] else None


def where(way: Way, weight: Expr, other: float = 0.0) -> Expr:
    """Return a weight where it counts, and zero elsewhere."""
    select, rest = OPS["select"], weight.pool.constant(other)
    if len(way) > 1:
        return select(_holds(way), weight, rest)
    for condition, holds in way:
        return select(condition, *((weight, rest) if holds else (rest, weight)))
    return weight


def _holds(way: Way) -> Expr:
    """Return the condition at which a weight counts."""
    first, *rest = [condition if holds else OPS["logical_not"](condition) for condition, holds in way]
    for condition in rest:
        first = OPS["logical_and"](first, condition)
    return first


def _one_way(weights: Weights) -> tuple[Way, Expr]:
    """Add up the weights that arrive at an expression.

    Two that arrive from the two sides of a choice are chosen from: where one of them counts, the other does not.
    """
    weights = dict(weights)
    for way in sorted(weights, key=len, reverse=True):
        if not way or way not in weights:
            continue
        *common, (condition, holds) = way
        other = weights.get((*common, (condition, not holds)))
        if other is None:
            continue
        sides = (weights[way], other) if holds else (other, weights[way])
        del weights[way], weights[(*common, (condition, not holds))]
        chosen, known = OPS["select"](condition, *sides), weights.get(tuple(common))
        weights[tuple(common)] = chosen if known is None else known + chosen
    if len(weights) == 1:
        return next(iter(weights.items()))
    first, *rest = [where(way, weight) for way, weight in weights.items()]
    for weight in rest:
        first = first + weight
    return _any(list(weights)), first


def _any(ways: list[Way]) -> Way:
    """Return the way that holds where one of several does."""
    if any(not way for way in ways):
        return ()
    first, *rest = [_holds(way) for way in ways]
    for condition in rest:
        first = OPS["logical_or"](first, condition)
    return ((first, True),)
