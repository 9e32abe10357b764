"""Index maps cut into boxes on which they are affine: the wrap of a roll is one cut, and so is the edge of a pad."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from sparsead.kernels.indexmap import Box, IndexMap
from sparsead.program.index import MANY

MOST_CUTS = 8  # of one axis
MOST_BOXES = 64


def boxes(*maps: IndexMap) -> list[Box] | None:
    """Return boxes that make up the domain of some maps, each affine on every one; None where there are too many.

    Maps with tables are cut from some thousand points on: fewer are rather listed.
    """
    shape = maps[0].shape
    if not any(m.tables for m in maps):
        return [tuple((0, n) for n in shape)]
    if math.prod(shape) < MANY or any(m.masked or len(t.axes) > 1 for m in maps for t in m.tables):
        return None
    ends: list[list[int]] = []
    for axis, n in enumerate(shape):
        found: set[int] = set()
        for m in maps:
            if any(t.axes == (axis,) for t in m.tables):
                found.update(_cuts(m.line(axis)))
        if len(found) > MOST_CUTS:
            return None
        ends.append([0, *sorted(found), n])
    if math.prod(len(e) - 1 for e in ends) > MOST_BOXES:
        return None
    return list(itertools.product(*(itertools.pairwise(e) for e in ends)))


def _cuts(line: np.ndarray) -> Iterator[int]:
    """Yield where a line takes another step than in its middle, until there are too many."""
    steps = np.diff(line)
    others = np.flatnonzero(steps != steps[steps.size // 2]) if steps.size else steps
    return (int(k) + 1 for k in others[: MOST_CUTS + 1])


def straight(m: IndexMap, box: Box) -> IndexMap:
    """Return a map on one of its `boxes`, with the first point of the box as origin."""
    if not m.tables:
        return m.within(box)
    offset, strides = m.offset, []
    for axis, (first, stop) in enumerate(box):
        line = m.line(axis)
        offset += int(line[first])
        strides.append(int(line[first + 1] - line[first]) if stop - first > 1 else 0)
    return IndexMap(tuple(stop - first for first, stop in box), offset, tuple(strides))
