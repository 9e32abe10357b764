"""Index types: the one place that decides them.

Indices are narrow (int32) where every number derived from them fits: offsets, twice the number of entries, rows and
columns together.  Else they are wide (int64), from end to end.  Vertices and colors are narrow always, and patterns
with more vertices than that are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import ColoringError

NARROW: Any = np.int32
WIDE: Any = np.int64

#: Most vertices that are colored: their numbers, and colors, are int32 everywhere.
MOST_VERTICES = int(np.iinfo(np.int32).max)


def index_dtype(*largest: int) -> Any:
    """Return the type of indices none of which exceeds the largest of these numbers."""
    return NARROW if max(largest) <= np.iinfo(NARROW).max else WIDE


def check_vertices(number: int, what: str) -> None:
    """Refuse to color more vertices than can be numbered.

    Raises
    ------
    ColoringError
        With the number, before anything is allocated.
    """
    if number > MOST_VERTICES:
        raise ColoringError(f"{number} {what} to color; at most {MOST_VERTICES} are possible. Color a part at a time")
