"""The operations: each is one statement in one of these modules, and nothing else knows its name."""

from sparsead.ops import (
    application,
    assembly,
    complex,
    composed,
    contraction,
    elementwise,
    factors,
    filters,
    folding,
    fourier,
    linalg,
    missing,
    movement,
    ordering,
    polynomials,
    query,
    reduction,
    refused,
    sequences,
    smooth,
    sparse,
    special,
    spellings,
    splines,
    tables,
    writing,
)
from sparsead.tracing.array import HANDLERS
from sparsead.tracing.replacing.lists import take_lists

for _func in [*HANDLERS]:
    take_lists(_func)

__all__ = [
    "application",
    "assembly",
    "complex",
    "composed",
    "contraction",
    "elementwise",
    "factors",
    "filters",
    "folding",
    "fourier",
    "linalg",
    "missing",
    "movement",
    "ordering",
    "polynomials",
    "query",
    "reduction",
    "refused",
    "sequences",
    "smooth",
    "sparse",
    "special",
    "spellings",
    "splines",
    "tables",
    "writing",
]
