"""Division in derivative coefficients: several quotients with one divisor share its reciprocal.

A division takes as long as ten multiplications. ``a / b`` becomes ``a * (1 / b)`` where b is a constant or divides
several times; the product is one rounding further from the quotient. Where one of the quotients is ``c / b`` with a
constant c, which the value of the function has as well, the reciprocal is made of it. Quotients that decide on which
side of a jump a point lies are left alone: there the last bit matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from sparsead.kernels.kernel import reachable
from sparsead.program.scalar import OPS, Expr

SMALLEST = float(np.finfo(np.float64).tiny)
MODERATE = 1e8  # numerators up to here, and from its inverse on, neither overflow nor vanish before the reciprocal does


def with_reciprocals(roots: Iterable[Expr]) -> list[Expr]:
    """Return the coefficients of a kernel with divisions replaced where a reciprocal serves several, or is known."""
    roots = list(roots)
    exprs = reachable(roots)
    divide = OPS["divide"]
    exact = _before_jumps(exprs)
    divisions = [e for e in exprs if e.op is divide and e.serial not in exact]
    uses = Counter(e.args[1].serial for e in divisions)
    replaced = {e.serial for e in divisions if _has_reciprocal(e.args[1], uses)}
    numerators = {e.args[1].serial: e.args[0] for e in divisions if e.serial in replaced and _is_moderate(e)}
    new: dict[int, Expr] = {}
    for e in exprs:
        args = tuple(new[a.serial] for a in e.args)
        if e.serial in replaced:
            new[e.serial] = _product(args[0], args[1], numerators.get(e.args[1].serial))
        else:
            new[e.serial] = e if e.op is None or args == e.args else e.pool.apply(e.op, args)
    return [new[root.serial] for root in roots]


def _has_reciprocal(divisor: Expr, uses: Counter[int]) -> bool:
    """Tell whether a divisor is worth a reciprocal: shared, or a constant whose reciprocal is a normal number."""
    if divisor.is_constant:
        return SMALLEST <= abs(1.0 / divisor.value) < np.inf if divisor.value else False
    return uses[divisor.serial] > 1


def _is_moderate(division: Expr) -> bool:
    """Tell whether the reciprocal of a divisor may be made of a quotient."""
    numerator, divisor = division.args
    return numerator.is_constant and not divisor.is_constant and 1 / MODERATE <= abs(numerator.value) <= MODERATE


def _product(numerator: Expr, divisor: Expr, known: Expr | None) -> Expr:
    """Return a quotient as a product, where another one with the `known` numerator is computed."""
    if known is None:
        return numerator * (1.0 / divisor)
    quotient = known / divisor
    return quotient if known is numerator else numerator * (quotient * (1.0 / known.value))


def _before_jumps(exprs: list[Expr]) -> set[int]:
    """Return the expressions that decide where something jumps: below conditions and steps."""
    found: set[int] = set()
    for e in reversed(exprs):
        if e.serial in found or (e.op is not None and e.op.jumps):
            found.update(a.serial for a in e.args)
    return found
