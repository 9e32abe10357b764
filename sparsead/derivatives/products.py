"""Products of a matrix with a vector, without the matrix: one record each, for calls, C functions and export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

Size = TypeVar("Size", int, str)


@dataclass(frozen=True)
class Product:
    """A product of a matrix, or of its transpose, with a vector.

    Attributes
    ----------
    name : str
        What users call it.
    vector : str
        The letter of the vector.
    source, target : str
        The arrays of its sweep: what is multiplied, and the product.
    meaning : str
        In C code.
    transposed : bool
        True for products with the transpose: the vector has an element for each row.
    """

    name: str
    vector: str
    source: str
    target: str
    meaning: str
    transposed: bool = False

    def sizes(self, shape: tuple[Size, Size]) -> tuple[Size, Size]:
        """Return the sizes of the vector and of the product, given the shape of the matrix: in numbers, or in C."""
        m, n = shape
        return (m, n) if self.transposed else (n, m)


JVP = Product("jvp", "v", "dx", "dy", "out = J v")
VJP = Product("vjp", "w", "dy", "dx", "out = w J", transposed=True)
HVP = Product("hvp", "v", "dx", "dg", "out = H v")
