"""Sums of few terms: written out where they are read."""

from __future__ import annotations

import numpy as np

from sparsead.program.index import IndexArray, narrowed
from sparsead.program.nodes import Sum

UNROLL = 16  # sums of up to so many terms are written out where they are read


def unrolled(node: Sum) -> IndexArray | None:
    """Return the terms of each element, (size, k), if every element has the same small number k of terms."""
    if "unrolled" not in node.memo:
        node.memo["unrolled"] = _unroll(node)
    return node.memo["unrolled"]


def _unroll(node: Sum) -> IndexArray | None:
    count, rest = divmod(node.terms.index.size, max(node.size, 1))
    if rest or not 0 < count <= UNROLL:
        return None
    place = node.place.reshape(-1)
    if not (np.bincount(place, minlength=node.size) == count).all():
        return None
    return narrowed(np.argsort(place, kind="stable")).reshape(node.size, count)
