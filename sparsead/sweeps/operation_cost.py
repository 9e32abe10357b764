"""What scalar code costs, in the unit in which a stored coefficient costs 1: some 0.4 nanoseconds."""

from __future__ import annotations

from collections.abc import Iterable

from sparsead.kernels.kernel import reachable
from sparsead.program.scalar import Expr

OPERATION = 0.3  # arithmetic runs for several points at a time
LEAF = 0.5  # reading a number from memory


def computing(values: Iterable[Expr]) -> float:
    """Return the cost of computing expressions at one point, each part of them once."""
    return sum(OPERATION * e.op.cost if e.op else LEAF for e in reachable(values))
