"""The five coloring problems, by structure, partition and decompression."""

from __future__ import annotations

from ..errors import ColoringError
from ..pattern import SparsityPattern
from ..sizes import check_vertices
from .base import Problem
from .bidirectional import Bidirectional
from .distance2 import DistanceTwo
from .symmetric import Symmetric

__all__ = ["COLORINGS", "Bidirectional", "DistanceTwo", "Problem", "Symmetric", "make_problem"]

#: The colorings by name: structure, partition, decompression.
COLORINGS = {
    "column": ("nonsymmetric", "column", "direct"),
    "row": ("nonsymmetric", "row", "direct"),
    "star": ("symmetric", "column", "direct"),
    "acyclic": ("symmetric", "column", "substitution"),
    "star bicoloring": ("nonsymmetric", "bidirectional", "direct"),
    "acyclic bicoloring": ("nonsymmetric", "bidirectional", "substitution"),
}
CHOICES = {
    "structure": ("nonsymmetric", "symmetric"),
    "partition": ("column", "row", "bidirectional"),
    "decompression": ("direct", "substitution"),
}


def make_problem(
    pattern: SparsityPattern,
    structure: str,
    partition: str,
    decompression: str,
    seed: int = 0,
    threads: int | None = None,
    weights: tuple[int, int] = (1, 1),
) -> Problem:
    """Return the problem for this combination.

    Raises
    ------
    ColoringError
        If a value is unknown, or the combination has no coloring.
    """
    given = {"structure": structure, "partition": partition, "decompression": decompression}
    for name, value in given.items():
        if value not in CHOICES[name]:
            raise ColoringError(f"unknown {name} {value!r}; expected one of {', '.join(CHOICES[name])}")
    (m, n), substitution = pattern.shape, decompression == "substitution"
    sides = {"column": (n, "columns"), "row": (m, "rows"), "bidirectional": (m + n, "rows and columns")}
    check_vertices(*sides[partition])
    if partition != "bidirectional" and weights != (1, 1):
        raise ColoringError("weights are for partition='bidirectional'; elsewhere all products cost the same")
    if structure == "symmetric":
        if partition != "column":
            raise ColoringError(f"a symmetric matrix is colored by columns; partition={partition!r} is not used")
        return Symmetric(pattern, substitution, seed, threads)
    if partition == "bidirectional":
        return Bidirectional(pattern, substitution, seed, threads, weights)
    if substitution:
        raise ColoringError(
            f"partition={partition!r} of a nonsymmetric matrix is recovered directly; substitution needs "
            "structure='symmetric' or partition='bidirectional'"
        )
    return DistanceTwo(pattern, partition, seed, threads)
