"""Adjacency lists without loops, and which stored entry and which edge each item of them is."""

import numpy as np

from .kernel import Kernel


@Kernel
def adjacency(indptr, indices):
    """Adjacency lists of a symmetric pattern, with the stored entry behind each item."""
    adj_indptr = np.zeros_like(indptr)
    adj_indices = np.empty_like(indices)
    entry = np.empty_like(indices)
    count = 0
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            if indices[k] != i:
                adj_indices[count] = indices[k]
                entry[count] = k
                count += 1
        adj_indptr[i + 1] = count
    return adj_indptr, adj_indices[:count].copy(), entry[:count].copy()


@Kernel
def bipartite_adjacency(indptr, indices, num_columns, like):
    """Adjacency lists of [0 Aᵀ; A 0], in the type of `like`: columns are the vertices 0 to n - 1, rows follow."""
    m, n, nnz = indptr.size - 1, num_columns, indices.size
    adj_indptr = np.zeros(n + m + 1, like.dtype)
    for k in range(nnz):
        adj_indptr[indices[k] + 1] += 1
    for j in range(n):
        adj_indptr[j + 1] += adj_indptr[j]
    adj_indptr[n:] = indptr
    adj_indptr[n:] += nnz
    adj_indices = np.empty(2 * nnz, like.dtype)
    entry = np.empty(2 * nnz, like.dtype)
    place = adj_indptr[:n].copy()
    for i in range(m):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            adj_indices[nnz + k], entry[nnz + k] = j, k
            adj_indices[place[j]], entry[place[j]] = n + i, k
            place[j] += 1
    return adj_indptr, adj_indices, entry


@Kernel
def edge_numbers(indptr, indices):
    """Number the edges; both directions of an edge get its number.

    One sweep: the items below the diagonal of row ``w`` are met from the rows above in the order in
    which they are stored.
    """
    edge = np.empty_like(indices)
    below = indptr[:-1].copy()
    count = 0
    for v in range(indptr.size - 1):
        for k in range(indptr[v], indptr[v + 1]):
            w = indices[k]
            if w > v:
                edge[k] = count
                edge[below[w]] = count
                below[w] += 1
                count += 1
    return edge


@Kernel
def edge_items(edge):
    """Return the two items of each edge, shape (num_edges, 2)."""
    items = np.full((edge.size // 2, 2), -1, edge.dtype)
    for k in range(edge.size):
        items[edge[k], 0 if items[edge[k], 0] < 0 else 1] = k
    return items
