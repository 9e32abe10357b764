"""How many derivatives are going to be taken of what is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_order: ContextVar[int] = ContextVar("order", default=1)


def order_wanted() -> int:
    """Return the order of the derivatives that what is traced now must have: 0, 1, or 2 for a Hessian."""
    return _order.get()


def second_order_wanted() -> bool:
    """Tell whether the function is traced for a Hessian."""
    return _order.get() > 1


@contextmanager
def for_order(order: int) -> Iterator[None]:
    """Trace what derivatives of an order will be taken of, until the block ends."""
    token = _order.set(order)
    try:
        yield
    finally:
        _order.reset(token)
