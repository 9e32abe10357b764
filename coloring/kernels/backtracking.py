"""All colorings of a few vertices, one after the other, until one is found or there is none."""

from functools import partial

import numpy as np

from .kernel import Kernel

NEUTRAL = -1
UNCOLORED = -2
FOUND, IMPOSSIBLE, GIVEN_UP = 1, 0, -1
DISTANCE_ONE, STAR, ACYCLIC = 0, 1, 2


@partial(Kernel, work=lambda *arguments: arguments[-1])  # the most steps
def find(indptr, indices, side, may_be_neutral, order, kind, weights, most, most_steps):
    """Whether the graph has a coloring that costs at most so much; and one, if it is found.

    Every color costs what the weights of the two sides say.  Vertices are colored in `order`; a color is tried if the
    vertices colored so far keep a coloring of the part of the graph between them, as every part of a coloring is, and
    colors that are not in use yet are tried once, being alike.  Gives up after so many steps.
    """
    n = order.size
    colors = np.full(n, UNCOLORED, np.int64)
    choice = np.zeros(n + 1, np.int64)
    used = np.zeros((n + 1, 2), np.int64)
    seen, queue = np.full(n, -1, np.int64), np.empty(n, np.int64)
    depth = 0
    if n > 0:
        choice[0] = NEUTRAL if may_be_neutral[order[0]] else 0
    for step in range(most_steps):
        if depth == n:
            return FOUND, colors
        v = order[depth]
        s = side[v]
        color = choice[depth]
        free = weights[0] * used[depth, 0] + weights[1] * used[depth, 1] + weights[s] <= most
        if color >= used[depth, s] + free:
            colors[v] = UNCOLORED
            if depth == 0:
                return IMPOSSIBLE, colors
            depth -= 1
            continue
        choice[depth] += 1
        colors[v] = color
        if fits(v, indptr, indices, side, colors, kind, seen, queue, step):
            used[depth + 1] = used[depth]
            if color == used[depth, s]:
                used[depth + 1, s] += 1
            depth += 1
            if depth < n:
                choice[depth] = NEUTRAL if may_be_neutral[order[depth]] else 0
    return GIVEN_UP, colors


@Kernel
def fits(v, indptr, indices, side, colors, kind, seen, queue, step):
    """Whether the color of `v` breaks nothing among the vertices colored so far.

    To find cycles it walks through trees of up to as many vertices as `queue` holds, and takes larger ones for
    cycles; the stamp is one that no vertex was `seen` with.
    """
    for k in range(indptr[v], indptr[v + 1]):
        w = indices[k]
        if colors[w] == UNCOLORED:
            continue
        if colors[v] == NEUTRAL:
            if colors[w] == NEUTRAL or _repeated(w, v, v, indptr, indices, side, colors):
                return False
        elif colors[w] == NEUTRAL:
            if _repeated(v, w, v, indptr, indices, side, colors):
                return False
        elif _same(v, w, side, colors):
            return False
    if colors[v] == NEUTRAL or kind == DISTANCE_ONE:
        return True
    for k in range(indptr[v], indptr[v + 1]):
        w = indices[k]
        if colors[w] >= 0:
            if kind == STAR and _on_path(v, w, indptr, indices, side, colors):
                return False
            if kind == ACYCLIC and _on_cycle(v, w, indptr, indices, side, colors, seen, queue, step * colors.size + k):
                return False
    return True


@Kernel
def _same(v, w, side, colors):
    return colors[v] == colors[w] and side[v] == side[w]


@Kernel
def _repeated(a, around, but, indptr, indices, side, colors):
    """Whether another vertex around `around`, besides `but`, has the color of `a`."""
    if colors[a] < 0:
        return False
    for k in range(indptr[around], indptr[around + 1]):
        x = indices[k]
        if x != a and x != but and _same(x, a, side, colors):
            return True
    return False


@Kernel
def _on_path(v, w, indptr, indices, side, colors):
    """Whether ``v - w - x - y`` or ``y - v - w - x`` has two colors."""
    is_middle = _repeated(w, v, v, indptr, indices, side, colors)
    for k in range(indptr[w], indptr[w + 1]):
        x = indices[k]
        is_other = x != v and _same(x, v, side, colors)
        if is_other and (is_middle or _repeated(w, x, v, indptr, indices, side, colors)):
            return True
    return False


@Kernel
def _on_cycle(v, w, indptr, indices, side, colors, seen, queue, stamp):
    """Whether the vertices of the colors of `v` and `w` that are connected with `v` have a cycle."""
    queue[0] = v
    seen[v] = stamp
    count, head, ends = 1, 0, 0
    while head < count:
        x = queue[head]
        head += 1
        for k in range(indptr[x], indptr[x + 1]):
            y = indices[k]
            if _same(y, v, side, colors) or _same(y, w, side, colors):
                ends += 1
                if seen[y] != stamp:
                    if count == queue.size:
                        return True
                    seen[y] = stamp
                    queue[count] = y
                    count += 1
    return ends // 2 >= count
