"""Properties that are computed once, without a lock.

Before Python 3.12, `functools.cached_property` holds one lock for a property of all objects while it computes: threads
wait for each other without need, two properties that use each other's class can wait for each other for ever, and so
does a process that was forked meanwhile.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

T = TypeVar("T")


class cached_property(functools.cached_property[T]):  # noqa: N801 - it stands in for the standard one
    """A property that is computed when it is first asked for; threads that come at once may each compute it.

    Examples
    --------
    >>> class Square:
    ...     @cached_property
    ...     def area(self):
    ...         print("computed")
    ...         return 4.0
    >>> square = Square()
    >>> square.area + square.area
    computed
    8.0
    """

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = self.func(instance)  # not met again: the instance has the value under this name from now on
        if getattr(type(instance), self.attrname or "", self) is not self:  # asked by `super()`, for the one that keeps
            return value
        return instance.__dict__.setdefault(self.attrname, value)
