"""The operations: each is one statement in one of these modules, and nothing else knows its name."""

from sparsead.ops import (
    assembly,
    complex,
    composed,
    contraction,
    elementwise,
    folding,
    fourier,
    linalg,
    movement,
    query,
    reduction,
    refused,
    special,
    tables,
)

__all__ = [
    "assembly",
    "complex",
    "composed",
    "contraction",
    "elementwise",
    "folding",
    "fourier",
    "linalg",
    "movement",
    "query",
    "reduction",
    "refused",
    "special",
    "tables",
]
