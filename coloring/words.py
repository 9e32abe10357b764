"""Numbers in words: one way to write them, whatever prints them."""

from __future__ import annotations


def several(count: int, what: str) -> str:
    """Return a number and what is counted: ``1 pass``, ``1,024 passes``, ``3 entries``, ``2 arrays``."""
    if what.endswith("y") and what[-2] not in "aeou":
        many = f"{what[:-1]}ies"
    else:
        many = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{count:,} {what if count == 1 else many}"


def dimensions(shape: tuple[int, int]) -> str:
    """Return the dimensions of a matrix: ``1,000 x 1,000``."""
    return f"{shape[0]:,} x {shape[1]:,}"
