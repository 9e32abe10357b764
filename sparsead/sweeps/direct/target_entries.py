"""Where the points of a loop go among the values of a matrix: views of them where they go in equal steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from coloring.cached import cached_property
from sparsead.kernels.indexmap import Box, IndexMap, inside
from sparsead.kernels.straight import boxes, straight
from sparsead.program.index import IndexArray

Part = tuple[Box, IndexMap]


class TargetEntries:
    """The entries that points go to; those sent nowhere (-1) are left out, unless all are asked for.

    Nothing is listed where the map is affine, on the whole or on a few boxes, and no two points of a box meet: any
    array of entries has a view of them then.

    Parameters
    ----------
    slot : IndexMap
        From points to entries.
    parts : list of (Box, IndexMap), optional
        Boxes on which it is affine, with the maps there, where they are known.
    """

    def __init__(self, slot: IndexMap, parts: list[Part] | None = None) -> None:
        self.slot = slot
        self.parts = [(box, straight(slot, box)) for box in boxes(slot) or ()] if parts is None else parts
        self.viewed = bool(self.parts) and all(part.is_affine_and_distinct for _, part in self.parts)

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
        return math.prod(self.slot.shape) if self.viewed else self.at.size

    @property
    def most(self) -> int:
        """How many points go to one entry, at most."""
        return len(self.parts) if self.viewed else self.at.size

    def views(self, values: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the values at the points, a part at a time."""
        if not self.viewed:
            yield values[self.at]
            return
        for _, part in self.parts:
            yield part.view_of(values)

    def of_all(self, values: np.ndarray) -> np.ndarray:
        """Return the values at all points, of points that are left out as well; perhaps a view."""
        if not self.viewed:
            return values[self.every]
        if len(self.parts) == 1:
            return self.parts[0][1].view_of(values)
        result = np.empty(self.slot.shape, values.dtype)
        for box, part in self.parts:
            result[inside(box)] = part.view_of(values)
        return result

    def write(self, values: np.ndarray, value: Any) -> None:
        """Set the values at the points."""
        if not self.viewed:
            values[self.at] = value
            return
        for view in self.views(values):
            view[...] = value

    def add(self, values: np.ndarray, value: float) -> None:
        """Add a number for each point."""
        if self.viewed:
            for view in self.views(values):
                view += value
        elif (self.at[1:] > self.at[:-1]).all():
            values[self.at] += value
        else:
            np.add.at(values, self.at, value)

    def lower(self, values: np.ndarray, bounds: np.ndarray) -> None:
        """Let no value be above that of a point, given one number for each point; none is left out."""
        if not self.viewed:
            np.minimum.at(values, self.every, bounds)
            return
        bounds = np.broadcast_to(bounds, self.slot.shape)
        for box, part in self.parts:
            view = part.view_of(values)
            np.minimum(view, bounds[inside(box)], out=view)
