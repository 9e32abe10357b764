"""Distance-1 coloring of a graph, and the traversals that order it."""

import numpy as np

from .kernel import Kernel


@Kernel
def color_vertices(indptr, indices, order):
    """First-fit colors of the vertices, visited in `order`."""
    colors = np.full(indptr.size - 1, -1, np.int32)
    forbidden = np.full(indptr.size, -1, np.int64)
    for v in order:
        for k in range(indptr[v], indptr[v + 1]):
            if colors[indices[k]] >= 0:
                forbidden[colors[indices[k]]] = v
        color = 0
        while forbidden[color] == v:
            color += 1
        colors[v] = color
    return colors


@Kernel
def breadth_first(indptr, indices, source, seen, order):
    """Append the component of `source` to `order` in breadth-first order; return its size."""
    order[0] = source
    seen[source] = True
    head, tail = 0, 1
    while head < tail:
        v = order[head]
        head += 1
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if not seen[w]:
                seen[w] = True
                order[tail] = w
                tail += 1
    return tail


@Kernel
def depth_first(indptr, indices, source, seen, order):
    """Append the component of `source` to `order` in depth-first order; return its size."""
    following = indptr[:-1].copy()
    stack = np.empty(order.size, np.int32)
    stack[0], order[0] = source, source
    seen[source] = True
    depth, count = 1, 1
    while depth > 0:
        v = stack[depth - 1]
        if following[v] == indptr[v + 1]:
            depth -= 1
            continue
        w = indices[following[v]]
        following[v] += 1
        if not seen[w]:
            seen[w] = True
            order[count] = w
            count += 1
            stack[depth] = w
            depth += 1
    return count
