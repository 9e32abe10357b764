"""Where the points of a loop go among the values of a matrix: a view of them where they go in equal steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from coloring.cached import cached_property
from sparsead.kernels.indexmap import IndexMap
from sparsead.program.index import IndexArray


class Places:
    """The entries that points go to; those sent nowhere (-1) are left out, unless all are asked for.

    Nothing is listed where the map is affine and no two points meet: any array of entries has a view of them then.

    Parameters
    ----------
    slot : IndexMap
        From points to entries.
    """

    def __init__(self, slot: IndexMap) -> None:
        self.slot = slot
        self.distinct = slot.is_affine_and_distinct

    @cached_property
    def every(self) -> IndexArray:
        """The entry of each point, -1 where there is none."""
        return self.slot.array()

    @cached_property
    def at(self) -> IndexArray:
        """The entries, without the points that are left out."""
        return self.every[self.every >= 0]

    @property
    def size(self) -> int:
        """How many points are not left out."""
        return self.every.size if self.distinct else self.at.size

    def of_all(self, values: np.ndarray) -> np.ndarray:
        """Return the values at all points, of points that are left out as well; perhaps a view."""
        return self.slot.view_of(values) if self.distinct else values[self.every]

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the values at the points."""
        return self.slot.view_of(values) if self.distinct else values[self.at]

    def write(self, values: np.ndarray, value: Any) -> None:
        """Set the values at the points."""
        if self.distinct:
            self.slot.view_of(values)[...] = value
        else:
            values[self.at] = value

    def add(self, values: np.ndarray, value: float) -> None:
        """Add a number for each point."""
        if self.distinct:
            view = self.slot.view_of(values)
            view += value
        elif (self.at[1:] > self.at[:-1]).all():
            values[self.at] += value
        else:
            np.add.at(values, self.at, value)

    def lower(self, values: np.ndarray, bounds: np.ndarray) -> None:
        """Let no value be above that of a point, given one number for each point; none is left out."""
        if self.distinct:
            view = self.slot.view_of(values)
            np.minimum(view, bounds, out=view)
        else:
            np.minimum.at(values, self.every, bounds)
