"""Lists and tuples with other items in them: what users and SciPy make of these classes keeps its names."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any

QUEUES = (collections.deque, collections.UserList)  # what NumPy takes for lists, besides lists and tuples


def rebuilt(like: Any, items: Iterable[Any]) -> Any:
    """Return a list or tuple of items, of the same kind as another one.

    A named tuple keeps its names; of another class of the user's the items are kept alone, for nobody knows what it
    is made of.
    """
    if hasattr(like, "_make"):
        return like._make(items)
    return list(items) if isinstance(like, list) else tuple(items)
