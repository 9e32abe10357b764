"""Lexicographic breadth-first search."""

import numpy as np

from .kernel import Kernel
from .neighbors import neighbors


@Kernel
def lexicographic(graph, start):
    """Vertices in the order of a lexicographic breadth-first search (Rose, Tarjan, Lueker 1976).

    Its reverse is a perfect elimination order if the graph is chordal, so that the greedy coloring in
    this order is optimal then.  By partition refinement (Habib et al. 2000): the unvisited vertices lie
    in `line`, cut into classes; a visit moves the neighbors of each class into a new class before it.
    `start` is the line at first.
    """
    size = start.size
    line = start.copy()
    place = np.empty(size, np.int32)
    for at in range(size):
        place[line[at]] = at
    class_of = np.zeros(size, np.int32)
    count = np.zeros(size + 1, np.int32)  # unvisited vertices of each class
    count[0] = size
    first = np.zeros(size + 1, np.int32)  # place of the first of them
    split_by = np.full(size + 1, -1, np.int32)  # visit that last split the class ...
    part = np.empty(size + 1, np.int32)  # ... and the class its neighbors went to
    unused = np.arange(size, -1, -1).astype(np.int32)
    num_unused = size
    for at in range(size):
        v = line[at]
        first[class_of[v]] = at + 1
        count[class_of[v]] -= 1
        for t in range(neighbors(graph, np.int64(v))):
            w = graph.buffer[t]
            if place[w] <= at:
                continue
            old = class_of[w]
            if split_by[old] != at:
                num_unused -= 1
                new = unused[num_unused]
                first[new], count[new], split_by[new] = first[old], 0, -1
                split_by[old], part[old] = at, new
            swap = line[first[old]]
            line[place[w]], place[swap] = swap, place[w]
            line[first[old]], place[w] = w, first[old]
            class_of[w] = part[old]
            first[old] += 1
            count[part[old]] += 1
            count[old] -= 1
            if count[old] == 0:
                unused[num_unused] = old
                num_unused += 1
    return line
