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
    around = _blocks.innermost
    signal.signal(signal.SIGINT, interrupts.receive)
    _blocks.innermost = interrupts
    try:
        yield interrupts
    finally:
        _blocks.innermost = around
        signal.signal(signal.SIGINT, handler)
        interrupts.deliver()


class _Blocks:
    """The `deferred` blocks of the main thread."""

    innermost: Interrupts | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the innermost one lets no interrupt through: quick to see, as it is asked for by every kernel."""
        return self.innermost is not None and not self.innermost._open


_blocks = _Blocks()


def _handler() -> Any:
    """What handles interrupts in this thread."""
    return signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None


def _are_deferred() -> bool:
    """Whether no interrupt can come here: in other threads, and inside a `deferred` block that lets none through."""
    return _blocks.is_closed or not callable(_handler())


def uninterrupted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that no interrupt comes into: what calls compiled code may not bear one."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _are_deferred():
            return function(*args, **kwargs)
        with deferred():
            return function(*args, **kwargs)

    return call
