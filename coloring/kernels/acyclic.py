"""Acyclic coloring: two-colored trees kept by union-find over the edges."""

import numpy as np

from .bits import add, first_free, has, wider
from .kernel import Kernel
from .star import NEUTRAL, collect_neighbor_colors


@Kernel
def color_acyclic(indptr, indices, edge, order, colors, two_sided, limit):
    """First-fit acyclic coloring of a graph without loops, vertices visited in `order`.

    Algorithm 3.1 of Gebremedhin, Tarafdar, Manne, Pothen (2007): edges whose ends have the same two
    colors form trees, and a color is forbidden to a vertex that would join a tree to itself.  Only
    neighbors that share their color with another neighbor can do that, so only their edges are looked
    at.  `colors`, `two_sided` and `limit` are as in `color_star`.
    """
    around = np.zeros((colors.size, 1, 1), np.uint64)  # colors of the neighbors of each vertex
    tree = np.arange(indices.size // 2).astype(edge.dtype)
    met = np.full((2, tree.size), -1, np.int32)  # by root of tree: vertex being colored, its neighbor there
    first_edge = np.empty(colors.size + 1, edge.dtype)
    visit = np.zeros((1, 3, 1), np.uint64)
    for v in order:
        forbidden, once, twice = visit[0, 0], visit[0, 1], visit[0, 2]
        for s in range(forbidden.size):
            forbidden[s] = once[s] = twice[s] = 0
        collect_neighbor_colors(v, indptr, indices, colors, once, twice)
        if not two_sided:
            for s in range(forbidden.size):
                forbidden[s] = once[s]
        _forbid(v, indptr, indices, edge, colors, around, twice, tree, met, forbidden)
        color = first_free(forbidden)
        if color >= limit:
            return colors[:0]
        if color == 64 * forbidden.size:
            around, visit = wider(around), wider(visit)
        colors[v] = color
        _join(v, indptr, indices, edge, colors, around, visit[0, 1], first_edge, tree)
    return colors


@Kernel
def _forbid(v, indptr, indices, edge, colors, around, twice, tree, met, forbidden):
    """Forbid the colors of trees that `v` would touch through two neighbors."""
    for k in range(indptr[v], indptr[v + 1]):
        w = indices[k]
        if colors[w] == NEUTRAL:
            for s in range(forbidden.size):
                forbidden[s] |= around[w, 0, s]
            continue
        if colors[w] < 0 or not has(twice, colors[w]):
            continue
        for t in range(indptr[w], indptr[w + 1]):
            color = colors[indices[t]]
            if color < 0 or has(forbidden, color):
                continue
            root = find(tree, edge[t])
            if met[0, root] != v:
                met[0, root] = v
                met[1, root] = w
            elif met[1, root] != w:
                add(forbidden, color)


@Kernel
def _join(v, indptr, indices, edge, colors, around, once, first_edge, tree):
    """Enter the edges of `v` into the trees that they extend at either end."""
    color = colors[v]
    word, bit = color >> 6, np.uint64(1) << np.uint64(color & 63)
    for k in range(indptr[v], indptr[v + 1]):
        w = indices[k]
        shared = colors[w]
        if shared >= 0:
            if around[w, 0, word] & bit:
                t = indptr[w]
                while colors[indices[t]] != color or indices[t] == v:
                    t += 1
                tree[find(tree, edge[k])] = find(tree, edge[t])
            if has(once, shared):
                once[shared >> 6] ^= np.uint64(1) << np.uint64(shared & 63)
                first_edge[shared] = edge[k]
            else:
                tree[find(tree, edge[k])] = find(tree, first_edge[shared])
        around[w, 0, word] |= bit


@Kernel
def find(tree, e):
    """Root of the tree of an edge, halving the path on the way."""
    while tree[e] != e:
        tree[e] = tree[tree[e]]
        e = tree[e]
    return e
