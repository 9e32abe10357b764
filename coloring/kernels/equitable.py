"""Vertices moved from large colors to smaller ones: see `coloring.equitable`."""

import numpy as np

from .backtracking import fits
from .bits import add, has
from .kernel import Kernel


@Kernel
def move_columns(indptr, indices, sets, vertices, colors, sizes):
    """Move columns to the smallest color that no row of theirs has, if it is smaller by two; return how many moved.

    `sets` has the colors of each row as bits, in words along the last axis.
    """
    forbidden = np.empty(sets.shape[1], np.uint64)
    moved = 0
    for j in vertices:
        forbidden[:] = 0
        for k in range(indptr[j], indptr[j + 1]):
            for s in range(forbidden.size):
                forbidden[s] |= sets[indices[k], s]
        own = best = colors[j]
        for color in range(sizes.size):
            if sizes[color] < sizes[best] and not has(forbidden, color):
                best = color
        if sizes[best] + 1 >= sizes[own]:
            continue
        word, bit = own >> 6, np.uint64(1) << np.uint64(own & 63)
        for k in range(indptr[j], indptr[j + 1]):
            sets[indices[k], word] ^= bit
            add(sets[indices[k]], best)
        colors[j] = best
        sizes[own] -= 1
        sizes[best] += 1
        moved += 1
    return moved


@Kernel
def swap_chains(lists, lines, large, small, members, colors, sizes, seen, stamp, queue):
    """Swap two colors in parts of a column coloring that hang together, where their sizes become more equal.

    A Kempe chain: the columns of the two colors that can be reached from one of the `members` of the `large` color,
    along rows that have both.  Returns how many columns change from it to the other, less those that change to it.
    """
    gained = 0
    for start in members:
        excess = sizes[large] - sizes[small]
        if excess < 2:
            break
        if seen[start] == stamp:
            continue
        count = _chain(lists, lines, start, large, small, colors, seen, stamp, queue)
        more = 0
        for v in queue[:count]:
            more += 1 if colors[v] == large else -1
        if 0 < more < excess:
            for v in queue[:count]:
                colors[v] = large + small - colors[v]
            sizes[large] -= more
            sizes[small] += more
            gained += more
    return gained


@Kernel
def _chain(lists, lines, start, large, small, colors, seen, stamp, queue):
    """Write the columns of a chain to the queue, and return how many there are."""
    queue[0] = start
    seen[start] = stamp
    count, head = 1, 0
    while head < count:
        v = queue[head]
        head += 1
        other = large + small - colors[v]
        for k in range(lists[0][v], lists[0][v + 1]):
            i = lists[1][k]
            for t in range(lines[0][i], lines[0][i + 1]):
                w = lines[1][t]
                if colors[w] == other and seen[w] != stamp:
                    seen[w] = stamp
                    queue[count] = w
                    count += 1
    return count


@Kernel
def move_vertices(indptr, indices, side, kind, vertices, by_size, colors, sizes, seen, queue, stamp):
    """Move vertices to the first color, of those of their side `by_size`, that fits and is smaller by two.

    Returns how many moved, and the stamp for the next call: see `backtracking.fits`.
    """
    moved = 0
    for v in vertices:
        s, own = side[v], colors[v]
        for color in by_size[s]:
            if sizes[s, color] + 1 >= sizes[s, own]:
                continue
            colors[v] = color
            stamp += 1
            if fits(v, indptr, indices, side, colors, kind, seen, queue, stamp):
                sizes[s, own] -= 1
                sizes[s, color] += 1
                moved += 1
                break
            colors[v] = own
    return moved, stamp
