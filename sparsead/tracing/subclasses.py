"""Views of traced arrays as a subclass of ndarray that only adds attributes, such as the fields of a finite element.

A class that is written in Python and leaves ufuncs and functions to NumPy has nothing but its methods and attributes:
a class of traced arrays gets the same. What operations make is an array without them, so that an attribute is missing
where NumPy would hand it on, and is never that of another array.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import numpy as np

from sparsead.errors import is_users
from sparsead.tracing.array import TracedArray

# How NumPy makes objects of a class; what stands for one is made by us. Pickles and texts are of numbers.
LEFT_OUT = {
    "__new__", "__init__", "__init_subclass__", "__array_finalize__", "__array_wrap__", "__array_prepare__", "__dict__",
    "__weakref__", "__reduce__", "__reduce_ex__", "__setstate__", "__repr__", "__str__", "__slots__", "__module__",
    "__class_getitem__",
}  # fmt: skip
ACTING = ("__array_ufunc__", "__array_function__", "__getattribute__")
OPERATORS = {*vars(np.lib.mixins.NDArrayOperatorsMixin)} - {"__module__", "__doc__", "__slots__", "__hash__"}


def only_adds(kind: type) -> bool:
    """Tell whether a subclass of ndarray, of a user's or of a package's, leaves all operations to NumPy."""
    added = [each for each in kind.__mro__ if each not in np.ndarray.__mro__]
    names = set().union(*(vars(each) for each in added))
    home = [_file_of(each) for each in added]
    return bool(added) and all(home) and all(map(is_users, home)) and not names & {*ACTING, *OPERATORS}


def _file_of(kind: type) -> str:
    """Return the file of a class that is written in Python, by one of its functions."""
    functions = (v for v in vars(kind).values() if isinstance(v, types.FunctionType))
    first = next(functions, None)
    return "" if first is None else first.__code__.co_filename


@functools.cache
def traced_kind(kind: type) -> type:
    """Return the class of traced arrays that stands for a class that `only_adds`."""
    added = [each for each in kind.__mro__ if each not in np.ndarray.__mro__]
    own: dict[str, Any] = {}
    for each in reversed(added):
        own |= {name: value for name, value in vars(each).items() if name not in LEFT_OUT}
    return type(
        kind.__name__, (TracedArray,), {**own, "__module__": __name__, "__class__": property(lambda self: kind)}
    )


def seen_as_kind(array: TracedArray, kind: type) -> TracedArray:
    """Return a view of an array as what stands for a class, without attributes of its own."""
    moved = array.moved(array.positions.view())
    return traced_kind(kind)(moved.storage, moved.positions)
