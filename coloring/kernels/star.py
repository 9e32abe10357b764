"""Star coloring with a few words of bits per vertex."""

import numpy as np

from .bits import add, first_free, has, wider
from .kernel import Kernel

NEUTRAL = -1
UNCOLORED = -2

# What each vertex keeps, as sets of colors stored in words of 64 bits.
AROUND = 0  # colors of its neighbors
HUBS = 1  # colors of the hubs of those stars, of two edges or more, in which it is a spoke
SPOKES = 2  # colors that two or more of its neighbors share: it is the hub of a star of that color


@Kernel
def color_star(indptr, indices, order, colors, two_sided, limit):
    """First-fit star coloring of a graph without loops, vertices visited in `order`.

    The colors are those of Algorithm 4.1 of Gebremedhin, Tarafdar, Manne, Pothen (2007).  There, every
    visit scans the neighbors of all neighbors; here each vertex keeps what that scan looks for as sets of
    colors, so that a visit reads a few words per neighbor.

    `colors` holds `UNCOLORED` for the vertices that will be visited and `NEUTRAL` for those that stay
    without a color: their neighbors must get distinct colors.  Vertices of `order` that are `NEUTRAL` at
    first get colors too, but earlier visits rely on none, as in the restricted star colorings of
    Gebremedhin, Manne, Pothen (2005) and the implicit coverings of Coleman and Verma (1998).

    With `two_sided` the graph is bipartite, its sides have separate palettes, and equal colors on
    opposite sides are different colors: a star bicoloring.  A coloring that would need more than `limit`
    colors (on either side) is given up: an empty array.
    """
    sets = np.zeros((indptr.size - 1, 3, 1), np.uint64)
    return colors if extend(indptr, indices, order, 0, colors, sets, two_sided, limit) else colors[:0]


@Kernel
def extend(indptr, indices, order, first, colors, sets, two_sided, limit):
    """Go on with a star coloring and its sets, where vertex `v` of the order is ``v - first``; whether it succeeds."""
    visit = np.zeros((1, 3, sets.shape[2]), np.uint64)
    for vertex in order:
        v = vertex - first
        forbidden, once, twice = visit[0, 0], visit[0, 1], visit[0, 2]
        for s in range(forbidden.size):
            forbidden[s] = once[s] = twice[s] = 0
        collect_neighbor_colors(v, indptr, indices, colors, once, twice)
        _forbid(v, indptr, indices, colors, sets, twice, forbidden)
        if not two_sided:
            for s in range(forbidden.size):
                forbidden[s] |= once[s]
        color = first_free(forbidden)
        if color >= limit:
            return False
        if color == 64 * forbidden.size:
            sets, visit = wider(sets), wider(visit)
        colors[v] = color
        _enter(v, indptr, indices, colors, sets, visit[0, 2])
    return True


@Kernel
def color_restricted_star(indptr, indices, order, limit):
    """First-fit star coloring in which the middle of every path on three has the lowest color.

    The restricted star coloring of Gebremedhin, Manne, Pothen (2005), Algorithm 4.2 (Powell and Toint
    1979): stronger than a star coloring, but sometimes the greedy algorithm does better with it.
    """
    colors = np.full(indptr.size - 1, NEUTRAL, np.int32)
    around = np.zeros((1, indptr.size - 1, 1), np.uint64)
    forbidden = np.zeros((1, 1, 1), np.uint64)
    for v in order:
        for s in range(forbidden.size):
            forbidden[0, 0, s] = 0
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            color = colors[w]
            if color < 0:
                for s in range(forbidden.size):
                    forbidden[0, 0, s] |= around[0, w, s]
                continue
            word, bit = color >> 6, np.uint64(1) << np.uint64(color & 63)
            for s in range(word):
                forbidden[0, 0, s] |= around[0, w, s]
            forbidden[0, 0, word] |= bit | (around[0, w, word] & (bit - np.uint64(1)))
        color = first_free(forbidden[0, 0])
        if color >= limit:
            return colors[:0]
        if color == 64 * forbidden.size:
            around, forbidden = wider(around), wider(forbidden)
        colors[v] = color
        word, bit = color >> 6, np.uint64(1) << np.uint64(color & 63)
        for k in range(indptr[v], indptr[v + 1]):
            around[0, indices[k], word] |= bit
    return colors


@Kernel
def collect_neighbor_colors(v, indptr, indices, colors, once, twice):
    """Sets of the colors that one neighbor, and that several neighbors, of `v` have."""
    for k in range(indptr[v], indptr[v + 1]):
        color = colors[indices[k]]
        if color >= 0:
            if has(once, color):
                add(twice, color)
            else:
                add(once, color)


@Kernel
def _forbid(v, indptr, indices, colors, sets, twice, forbidden):
    """Colors that would close a two-colored path on four vertices through `v`."""
    for k in range(indptr[v], indptr[v + 1]):
        w = indices[k]
        if colors[w] != UNCOLORED:
            # v - w - hub - spoke; and where v joins two neighbors of one color, w' - v - w - x
            which = AROUND if colors[w] == NEUTRAL or has(twice, colors[w]) else HUBS
            for s in range(forbidden.size):
                forbidden[s] |= sets[w, which, s]


@Kernel
def _enter(v, indptr, indices, colors, sets, twice):
    """Update the sets after `v` was colored."""
    color = colors[v]
    word, bit = color >> 6, np.uint64(1) << np.uint64(color & 63)
    for s in range(twice.size):
        sets[v, SPOKES, s] |= twice[s]
    for k in range(indptr[v], indptr[v + 1]):
        w = indices[k]
        if colors[w] >= 0:
            if has(twice, colors[w]):
                sets[w, HUBS, word] |= bit
            if sets[w, AROUND, word] & bit:
                sets[v, HUBS, colors[w] >> 6] |= np.uint64(1) << np.uint64(colors[w] & 63)
                if not sets[w, SPOKES, word] & bit:
                    sets[w, SPOKES, word] |= bit
                    x = _neighbor_of_color(w, color, v, indptr, indices, colors)
                    sets[x, HUBS, colors[w] >> 6] |= np.uint64(1) << np.uint64(colors[w] & 63)
        sets[w, AROUND, word] |= bit


@Kernel
def _neighbor_of_color(w, color, but, indptr, indices, colors):
    """Return the first neighbor of `w` of that color, other than `but`; there must be one."""
    k = indptr[w]
    while colors[indices[k]] != color or indices[k] == but:
        k += 1
    return indices[k]
