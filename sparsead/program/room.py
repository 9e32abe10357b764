"""Refusing, at the line of the user's function that asks for it, what would not fit into memory once it is traced."""

from __future__ import annotations

from sparsead.errors import user_origin
from sparsead.memory import is_large, require

BYTES_PER_PRODUCT = 40  # of two factors, while their places and those of their sums are written down
BYTES_PER_NUMBER = 32  # of an element, while it is written down from which array it is, and which of its elements
ADVICE = "use a smaller array, a formula that does not build it, or sparsead.extend with the derivative of the whole"


def require_room(size: float, what: str) -> None:
    """Raise MemoryError, with the user's line, if an operation would need more than the `size` bytes that are left."""
    if is_large(size):
        require(size, f"{what}, at {user_origin()},", ADVICE)


def require_products(count: float, what: str) -> None:
    """Raise MemoryError if there is no room for so many products of two factors."""
    require_room(BYTES_PER_PRODUCT * count, f"{what} with {count:.3g} products")


def require_numbers(size: float, what: str) -> None:
    """Raise MemoryError if there is no room to number the elements of an array."""
    require_room(BYTES_PER_NUMBER * size, f"{what} of {size:.3g} elements, put together from others")
