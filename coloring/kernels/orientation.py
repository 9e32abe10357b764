"""Which end of each edge is read: an entry of the matrix stands alone in the row of its leaf.

Every edge v - w gets a direction, leaf to parent.  The value of the entry is then
``B[leaf, color(parent)]``, less the values of the other edges between the leaf and vertices of that
color.  In a star coloring there are none; in an acyclic coloring they have been found before.
"""

import numpy as np

from .kernel import Kernel

UNDECIDED = -1
CONFLICT = -2


@Kernel
def shared_colors(indptr, indices, colors):
    """For each item ``v -> w``: whether another neighbor of ``v`` has the color of ``w``."""
    shared = np.zeros(indices.size, np.bool_)
    last = np.full(colors.size + 1, -1, np.int32)  # vertex that met the color last ...
    item = np.empty(colors.size + 1, indices.dtype)  # ... and where
    for v in range(indptr.size - 1):
        for k in range(indptr[v], indptr[v + 1]):
            color = colors[indices[k]]
            if color < 0:
                continue
            if last[color] == v:
                shared[k] = shared[item[color]] = True
            else:
                last[color] = v
                item[color] = k
    return shared


@Kernel
def orient_stars(indptr, indices, edge, colors, shared):
    """Item read for each edge in a star coloring; `UNDECIDED` if both will do, `CONFLICT` if none."""
    chosen = np.full(indices.size // 2, CONFLICT, indices.dtype)
    for v in range(indptr.size - 1):
        for k in range(indptr[v], indptr[v + 1]):
            if colors[indices[k]] >= 0 and not shared[k]:
                e = edge[k]
                chosen[e] = k if chosen[e] == CONFLICT else UNDECIDED
    return chosen


@Kernel
def orient_trees(indptr, indices, edge, ends, colors, shared):
    """Item read for each edge in an acyclic coloring, the order of elimination, and what it feeds.

    The edges between a vertex ``v`` and its neighbors of one color form a node; edges join nodes, and the
    nodes of two colors form a forest.  Nodes with one edge left are taken first in, first out, so that every
    tree is peeled from its leaves and ends at its centre: chains of substitutions are as short as they can
    be.  The remaining edge of a node is the exclusive or of the edges not yet taken.  `ends` holds the two
    items of each edge.

    Returns `chosen` as `orient_stars` does (an edge on a cycle stays in `CONFLICT`), and for the edges
    taken, in order, the edge and the edge that its value is subtracted from (-1 at a root).
    """
    num_edges = indices.size // 2
    node, degree, remaining = _nodes(indptr, indices, edge, colors)
    chosen = np.full(num_edges, CONFLICT, indices.dtype)
    for k in range(indices.size):
        e = edge[k]
        if node[k] < 0 and colors[indices[k]] >= 0 and not shared[k]:
            chosen[e] = k  # the other end is read by a neutral vertex
    queue = np.empty(2 * num_edges, indices.dtype)
    tail = 0
    for a in range(degree.size):
        if degree[a] == 1:
            queue[tail] = a
            tail += 1
    taken = np.empty(num_edges, indices.dtype)
    leaf_edge = np.full(degree.size, -1, indices.dtype)  # edge by which a node was left
    parent = np.empty(num_edges, indices.dtype)
    count = head = 0
    while head < tail:
        a = queue[head]
        head += 1
        if degree[a] != 1:
            continue
        e = remaining[a]
        k = ends[e, 0] if node[ends[e, 0]] == a else ends[e, 1]
        b = node[ends[e, 0]] ^ node[ends[e, 1]] ^ a  # the other one
        chosen[e] = k if shared[ends[e, 0]] or shared[ends[e, 1]] else UNDECIDED
        taken[count], parent[count] = e, b
        count += 1
        leaf_edge[a] = e
        degree[a] = 0
        degree[b] -= 1
        remaining[b] ^= e
        if degree[b] == 1:
            queue[tail] = b
            tail += 1
    feeds = np.empty(count, indices.dtype)
    for t in range(count):
        feeds[t] = leaf_edge[parent[t]]
    return chosen, taken[:count].copy(), feeds


@Kernel
def _nodes(indptr, indices, edge, colors):
    """Node of each item between colored vertices (-1 elsewhere), its edges, and their exclusive or."""
    node = np.full(indices.size, -1, indices.dtype)
    degree = np.zeros(indices.size, indices.dtype)
    remaining = np.zeros(indices.size, indices.dtype)
    last = np.full(colors.size + 1, -1, np.int32)
    current = np.empty(colors.size + 1, indices.dtype)
    count = 0
    for v in range(indptr.size - 1):
        for k in range(indptr[v], indptr[v + 1]):
            color = colors[indices[k]]
            if colors[v] < 0 or color < 0:
                continue
            if last[color] != v:
                last[color] = v
                current[color] = count
                count += 1
            node[k] = current[color]
            degree[node[k]] += 1
            remaining[node[k]] ^= edge[k]
    return node, degree[:count].copy(), remaining[:count].copy()


@Kernel
def decide(indices, items, chosen, codes, read):
    """Settle the `UNDECIDED` edges so that few colors are read besides those marked in `read`.

    Greedily, the color that settles most of them is read next.  `codes` has a number for each color (of either
    side), -1 for neutral vertices; the last place of `read` stands for those.
    """
    pairs = np.empty(chosen.size, np.int64)
    count = 0
    for e in range(chosen.size):
        if chosen[e] >= 0:
            read[codes[indices[chosen[e]]]] = True
    for e in range(chosen.size):
        if chosen[e] == UNDECIDED:
            a, b = codes[indices[items[e, 0]]], codes[indices[items[e, 1]]]
            if not read[a] and not read[b]:
                pairs[count] = a * read.size + b
                count += 1
    pairs = np.unique(pairs[:count])
    times = np.empty(read.size, np.int64)
    while pairs.size > 0:
        times[:] = 0
        for pair in pairs:
            times[pair // read.size] += 1
            times[pair % read.size] += 1
        most = times.argmax()
        read[most] = True
        pairs = pairs[(pairs // read.size != most) & (pairs % read.size != most)]
    for e in range(chosen.size):
        if chosen[e] == UNDECIDED:
            chosen[e] = items[e, 0] if read[codes[indices[items[e, 0]]]] else items[e, 1]


@Kernel
def settle(indptr, indices, edge, items, colors, diagonal, num_first, substitution):
    """Colors with -1 for each vertex whose color is not read, renumbered without gaps; empty if there is a conflict."""
    shared = shared_colors(indptr, indices, colors)
    if substitution:
        chosen, _, _ = orient_trees(indptr, indices, edge, items, colors, shared)
    else:
        chosen = orient_stars(indptr, indices, edge, colors, shared)
    if chosen.size > 0 and chosen.min() == CONFLICT:
        return colors[:0].copy()
    codes, number = color_codes(colors, num_first)
    read = np.zeros(number + 1, np.bool_)
    for v in range(colors.size):
        if diagonal[v]:
            read[codes[v]] = True
    decide(indices, items, chosen, codes, read)
    kept = diagonal.copy()
    for k in chosen:
        kept[indices[k]] = True
    settled = np.full(colors.size, -1, np.int32)
    used = np.zeros(number + 1, np.bool_)
    for v in range(colors.size):
        if kept[v] and codes[v] >= 0:
            used[codes[v]] = True
    place = np.empty(number, np.int32)
    split = colors[:num_first].max() + 1 if num_first > 0 else 0
    following = 0
    for c in range(number):
        if c == split:
            following = 0
        place[c] = following
        following += used[c]
    for v in range(colors.size):
        if kept[v] and codes[v] >= 0:
            settled[v] = place[codes[v]]
    return settled


@Kernel
def color_codes(colors, num_first):
    """One number per color and side of the graph, -1 for neutral vertices; and how many numbers there are."""
    codes = colors.astype(np.int64)
    first = second = -1
    for v in range(colors.size):
        if v < num_first:
            first = max(first, codes[v])
        else:
            second = max(second, codes[v])
    for v in range(num_first, colors.size):
        if codes[v] >= 0:
            codes[v] += first + 1
    return codes, first + second + 2
