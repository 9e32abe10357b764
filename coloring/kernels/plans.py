"""From directed edges to the place of every stored entry."""

from .kernel import Kernel


@Kernel
def symmetric_sources(indptr, indices, entry, edge, items, chosen, colors, line, color):
    """Both entries of an edge are read in the row of its leaf, at the color of its parent."""
    for leaf in range(indptr.size - 1):
        for k in range(indptr[leaf], indptr[leaf + 1]):
            e = edge[k]
            if chosen[e] == k:
                for end in range(2):
                    line[entry[items[e, end]]] = leaf
                    color[entry[items[e, end]]] = colors[indices[k]]


@Kernel
def bidirectional_sources(indptr, indices, entry, edge, chosen, colors, num_columns, line, color):
    """An entry is read in its row if its column is the parent, else in its column."""
    for leaf in range(indptr.size - 1):
        for k in range(indptr[leaf], indptr[leaf + 1]):
            if chosen[edge[k]] == k:
                parent = indices[k]
                by_column = parent < num_columns
                line[entry[k]] = leaf - num_columns if by_column else leaf
                color[entry[k]] = colors[parent] if by_column else ~colors[parent]
