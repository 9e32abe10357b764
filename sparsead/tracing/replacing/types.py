"""What ``type(x)`` says while a function is traced: the type that NumPy's value would have.

``isinstance`` asks an object for its class; ``type`` does not, and code that compares types with ``is`` would take the
other branch. The modules of users, and those of the function that is traced, get a name `type` of their own for the
time being. They get a `hasattr`, too: a stand-in has methods that Python asks for, which NumPy's values have not
(``hasattr(x[0], "__iter__")``).
"""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np

from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.replacing.names import NAMES, type_in
from sparsead.tracing.replacing.standins import Standing
from sparsead.tracing.scalar import TracedScalar


def type_of(value: Any) -> type:
    """Return the type of a value, or of what it stands for."""
    kind = type(value)
    if kind is TracedArray or (kind is TracedComplex and not value.is_number):
        return np.ndarray
    if kind is TracedScalar or kind is TracedComplex or issubclass(kind, TracedArray):
        kind = value.__class__
    return kind


class _Meta(Standing, type):
    """Makes a class act as `type` itself."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = type_of(*args) if len(args) == 1 and not kwargs else type(*args, **kwargs)
        return cls if made is type else type_in(sys._getframe(1).f_globals, made)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)

    def __subclasscheck__(cls, subclass: Any) -> bool:
        return issubclass(subclass, type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is type

    def __hash__(cls) -> int:
        return hash(type)

    def __repr__(cls) -> str:
        return repr(type)


class _Type(type, metaclass=_Meta):
    """Stands for `type`."""

    original = type

    def __class_getitem__(cls, item: Any) -> Any:
        return types.GenericAlias(type, item)


def _hasattr(value: Any, name: str, /) -> bool:
    """Tell whether a value has an attribute: of Python's own names, whether what it stands for has."""
    asked = type_of(value) if type(name) is str and name.startswith("__") else None
    return hasattr(value if asked is None or asked is type(value) else asked, name)


_hasattr.__name__ = _hasattr.__qualname__ = "hasattr"
NAMES |= {"type": _Type, "hasattr": _hasattr}
