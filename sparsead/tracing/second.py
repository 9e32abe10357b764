"""Whether second derivatives are going to be taken of what is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_wanted: ContextVar[bool] = ContextVar("second_order_wanted", default=False)


def second_order_wanted() -> bool:
    """Tell whether the function is traced for a Hessian."""
    return _wanted.get()


@contextmanager
def for_second_order() -> Iterator[None]:
    """Trace for a Hessian until the block ends."""
    token = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(token)
