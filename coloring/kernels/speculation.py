"""Star coloring block by block: see `coloring.speculative`.

What `star.color_star` keeps for every vertex follows from the colors alone, so that it can be made again from the
colors that stay, vertex by vertex.
"""

import numpy as np

from .bits import add, has
from .kernel import Kernel
from .star import AROUND, HUBS, SPOKES, collect_neighbor_colors, extend


@Kernel
def reach(indptr, indices):
    """First and last neighbor of each vertex, itself among them; the lists are in increasing order."""
    low, high = np.empty(indptr.size - 1, np.int32), np.empty(indptr.size - 1, np.int32)
    for v in range(low.size):
        low[v] = high[v] = v
        if indptr[v] < indptr[v + 1]:
            low[v] = min(v, indices[indptr[v]])
            high[v] = max(v, indices[indptr[v + 1] - 1])
    return low, high


@Kernel
def window(block, low, high):
    """First vertex, and the one after the last, of all that neighbors of the vertices in a block are adjacent to."""
    first, last = block[0], block[0]
    for v in block:
        first, last = min(first, low[v]), max(last, high[v])
    start, end = first, last
    for w in range(start, end + 1):
        first, last = min(first, low[w]), max(last, high[w])
    return first, last + 1


@Kernel
def color_block(indptr, indices, block, first, colors, sets, settled_some, limit, found):
    """First-fit star colors of the vertices in a block, as if no other block had any; whether `limit` was enough.

    Graph, colors and sets (as `collect` makes them) are those of a window that begins with vertex `first`, where only
    vertices that stay as they are have colors at the beginning, if `settled_some` are there.  The colors are written
    to those `found` for all vertices.
    """
    if settled_some:
        _mark_hubs(indptr, indices, block, first, colors, sets)
    is_enough = extend(indptr, indices, block, first, colors, sets, False, limit)
    for v in block:
        found[v] = colors[v - first]
    return is_enough


@Kernel
def _mark_hubs(indptr, indices, block, first, colors, sets):
    """Enter, for all neighbors of a block, the colors of the hubs whose spokes they are."""
    for vertex in block:
        for k in range(indptr[vertex - first], indptr[vertex - first + 1]):
            v = indices[k]
            for t in range(indptr[v], indptr[v + 1]):
                w = indices[t]
                if colors[v] >= 0 and colors[w] >= 0 and has(sets[w, SPOKES], colors[v]):
                    add(sets[v, HUBS], colors[w])


@Kernel
def collect(indptr, indices, start, end, colors, sets):
    """Enter the colors around some vertices, and those that several of their neighbors have."""
    for v in range(start, end):
        sets[v] = np.uint64(0)
        collect_neighbor_colors(v, indptr, indices, colors, sets[v, AROUND], sets[v, SPOKES])


@Kernel
def collect_around(indptr, indices, vertices, colors, sets):
    """Enter them again around vertices that have lost their colors."""
    for v in vertices:
        for k in range(indptr[v], indptr[v + 1]):
            collect(indptr, indices, indices[k], indices[k] + 1, colors, sets)


@Kernel
def find_conflicts(indptr, indices, start, end, colors, settled, place, sets, lost):
    """Mark on every path that has two colors too few, an edge or a path on four vertices, the last one as lost.

    Paths are looked for around the edges of some vertices `v`: ``x - v - w - y``.  Vertices that are `settled` keep
    their colors; every such path has two others at least.
    """
    for v in range(start, end):
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w < v or colors[v] < 0 or colors[w] < 0:
                continue
            if colors[v] == colors[w]:
                lost[w if place[w] > place[v] else v] = True
            elif has(sets[v, SPOKES], colors[w]) and has(sets[w, SPOKES], colors[v]):
                _lose(v, w, indptr, indices, colors, settled, place, lost)


@Kernel
def _lose(v, w, indptr, indices, colors, settled, place, lost):
    """Mark the last vertex on every path ``x - v - w - y``; vertices that are settled come before all others."""
    first_x = _first_of_color(v, w, indptr, indices, colors, settled, place)
    first_y = _first_of_color(w, v, indptr, indices, colors, settled, place)
    middle = w if _rank(w, settled, place) > _rank(v, settled, place) else v
    last = _rank(middle, settled, place)
    if last > max(first_x, first_y):
        lost[middle] = True
    _lose_after(max(last, first_y), v, w, indptr, indices, colors, settled, place, lost)
    _lose_after(max(last, first_x), w, v, indptr, indices, colors, settled, place, lost)


@Kernel
def _rank(v, settled, place):
    """Place of a vertex in the order, -1 if it is settled."""
    return -1 if settled[v] >= 0 else place[v]


@Kernel
def _first_of_color(v, w, indptr, indices, colors, settled, place):
    """Least rank of the other neighbors of `v` that have the color of `w`; there is one."""
    first = place.size
    for k in range(indptr[v], indptr[v + 1]):
        x = indices[k]
        if x != w and colors[x] == colors[w]:
            first = min(first, _rank(x, settled, place))
    return first


@Kernel
def _lose_after(rank, v, w, indptr, indices, colors, settled, place, lost):
    """Mark those of them that come after this rank."""
    for k in range(indptr[v], indptr[v + 1]):
        x = indices[k]
        if x != w and colors[x] == colors[w] and _rank(x, settled, place) > rank:
            lost[x] = True
