"""Functions around the user's: what is traced calls it in another way than it was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from sparsead.errors import InputError
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.replacing.types import type_of


class Wrapper:
    """A function that calls another one, which is the user's. The trace looks at that one, see `inner`."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__wrapped__ = f

    def called(self, *args: Any, **named: Any) -> Any:
        """Call the user's function; what numba compiled is traced as the Python that it was."""
        f = getattr(self.f, "py_func", self.f) if is_tracing() else self.f
        return f(*args, **named)

    def __call__(self, *args: Any) -> Any:
        """Call it in another way."""
        raise NotImplementedError


class ByName(Wrapper):
    """A function called with positional arguments, of which it is given the last ones by name."""

    def __init__(self, f: Callable[..., Any], places: tuple[str, ...], names: tuple[str, ...]) -> None:
        super().__init__(f)
        self.names = names
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in (*places, *names)])

    def __call__(self, *args: Any) -> Any:
        """Call it."""
        count = len(args) - len(self.names)
        return self.called(*args[:count], **dict(zip(self.names, args[count:], strict=True)))


class First(Wrapper):
    """The first of the two things that a function returns: its result."""

    def __call__(self, *args: Any) -> Any:
        """Return the result."""
        return self.both(*args)[0]

    def both(self, *args: Any) -> tuple[Any, Any]:
        """Return the result, and what is beside it."""
        found = self.called(*args)
        if not isinstance(found, tuple) or len(found) != 2:
            met = f"{len(found)} values" if isinstance(found, tuple) else type_of(found).__name__
            raise InputError(f"has_aux=True expects {self.__name__} to return a pair, (result, aux); it returned {met}")
        return found


def inner(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the user's function inside those that are around it."""
    while isinstance(f, Wrapper):
        f = f.f
    return f
