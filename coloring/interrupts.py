"""Ctrl-C, put off while something must be done whole: compiled code called, written or taken out of the way again."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """What became of the interrupts inside a `deferred` block."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = handler
        self._pending: tuple[Any, ...] | None = None
        self._open = False

    def receive(self, *signal_and_frame: Any) -> None:
        """Handle an interrupt now, or keep it."""
        if self._open:
            self._handler(*signal_and_frame)
        else:
            self._pending = signal_and_frame

    def deliver(self) -> None:
        """Handle the interrupt that was kept, if there is one."""
        kept, self._pending = self._pending, None
        if kept is not None:
            self._handler(*kept)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let interrupts through inside the block."""
        try:
            self._open = True
            self.deliver()
            yield
        finally:
            self._open = False


@contextmanager
def deferred() -> Iterator[Interrupts]:
    """Put interrupts off until the block has ended, or until it allows them; only the main thread ever gets any.

    Examples
    --------
    >>> with deferred() as interrupts:
    ...     # prepared whole, even if Ctrl-C is pressed meanwhile
    ...     with interrupts.allowed():
    ...         pass  # as always
    ...     # cleaned up whole
    """
    handler = _handler()
    interrupts = Interrupts(handler if callable(handler) else lambda *_: None)
    if not callable(handler):  # another thread; or interrupts are ignored, or kill the process anyway
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts.receive)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, handler)
        interrupts.deliver()


def _handler() -> Any:
    """What handles interrupts in this thread."""
    return signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None


def _are_deferred() -> bool:
    """Whether no interrupt can come here: in other threads, and inside a `deferred` block that lets none through."""
    handler = _handler()
    if not callable(handler):
        return True
    block = getattr(handler, "__self__", None)
    return isinstance(block, Interrupts) and not block._open


def uninterrupted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that no interrupt comes into: what calls compiled code may not bear one."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _are_deferred():
            return function(*args, **kwargs)
        with deferred():
            return function(*args, **kwargs)

    return call
