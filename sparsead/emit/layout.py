"""How the arrays of many points lie in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Layout:
    """How the arrays of a batch lie in memory.

    Attributes
    ----------
    sizes : dict
        Arrays that are given with an axis of points: the elements of one point.
    last : bool
        True where the axis of points is the last one.
    moves : dict
        Arrays with the points along another axis, or along a part of one: where each element of the first point is,
        and how far from there that of the next one.
    fixed : dict
        Those of all these arrays that are constants.
    count : int
        How many points there are, at least as many as a block has; 0 where every batch says it anew.
    """

    sizes: dict[str, int]
    last: bool
    moves: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    fixed: dict[str, np.ndarray] = field(default_factory=dict)
    count: int = 0

    @property
    def turned(self) -> dict[str, int]:
        """The arrays whose points are not last, with the elements of one point."""
        return {array: size for array, size in self.sizes.items() if array in self.moves or not self.last}
