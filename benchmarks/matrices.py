"""Generated matrices for tests and benchmarks: patterns of grids, bands, arrows, meshes and networks.

Every function returns a `scipy.sparse.csr_array` of ones with sorted indices; what is random has a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
import scipy.sparse as sp

#: Neighbors in a stencil: along the axes, or all that touch.
AXES = {"axes", "box"}


def from_pairs(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    """Pattern with these entries; duplicates are merged."""
    A = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    A.sum_duplicates()
    A.data[:] = 1
    return A


def grid(*shape: int, stencil: str = "axes", periodic: bool = False) -> sp.csr_array:
    """Stencil matrix of a grid: 3 / 5 / 7 points along the axes, or 3 / 9 / 27 points of a box."""
    if stencil not in AXES:
        raise ValueError(f"unknown stencil {stencil!r}; expected 'axes' or 'box'")
    number = np.arange(np.prod(shape)).reshape(shape)
    rows, columns = [], []
    for step in product((-1, 0, 1), repeat=len(shape)):
        if stencil == "axes" and np.count_nonzero(step) > 1:
            continue
        if periodic:
            here, there = number, np.roll(number, step, range(len(shape)))
        else:
            here, there = number[_window(step)], number[_window([-s for s in step])]
        rows.append(here.ravel())
        columns.append(there.ravel())
    return from_pairs(np.concatenate(rows), np.concatenate(columns), (number.size, number.size))


def _window(step: Iterable[int]) -> tuple[slice, ...]:
    return tuple(slice(max(-s, 0), -s if s > 0 else None) for s in step)


def from_steps(N: int, steps: Iterable[tuple[int, int]], periodic: bool) -> sp.csr_array:
    """Stencil matrix of N x N points: from each to those at these steps, down and to the right."""
    y, x = np.divmod(np.arange(N * N), N)
    rows, columns = [], []
    for dy, dx in steps:
        inside = periodic | ((y + dy >= 0) & (y + dy < N) & (x + dx >= 0) & (x + dx < N))
        rows.append(np.flatnonzero(inside))
        columns.append(((y + dy) % N * N + (x + dx) % N)[inside])
    return from_pairs(np.concatenate(rows), np.concatenate(columns), (N * N, N * N))


def two_fields(n: int) -> sp.csr_array:
    """Two fields on a periodic n x n grid, coupled point by point, as in the Brusselator."""
    one = grid(n, n, periodic=True)
    return sp.csr_array(sp.block_array([[one, sp.eye_array(n * n)], [sp.eye_array(n * n), one]]))


def band(n: int, half_bandwidth: int) -> sp.csr_array:
    """Full symmetric band."""
    offsets = np.arange(-half_bandwidth, half_bandwidth + 1)
    rows = np.repeat(np.arange(n), offsets.size)
    columns = rows + np.tile(offsets, n)
    inside = (columns >= 0) & (columns < n)
    return from_pairs(rows[inside], columns[inside], (n, n))


def ring(n: int, half_bandwidth: int) -> sp.csr_array:
    """Band around a ring."""
    offsets = np.arange(-half_bandwidth, half_bandwidth + 1)
    rows = np.repeat(np.arange(n), offsets.size)
    return from_pairs(rows, (rows + np.tile(offsets, n)) % n, (n, n))


def tensor(*factors: sp.sparray) -> sp.csr_array:
    """Kronecker product of patterns: the first factor's coordinate varies slowest."""
    A = sp.csr_array(np.ones((1, 1)))
    for factor in factors:
        A = sp.csr_array(sp.kron(A, factor))
    return from_pairs(*A.nonzero(), A.shape)


def fields(A: sp.sparray, number: int, interleaved: bool = True) -> sp.csr_array:
    """Several fields on the points of `A`, each coupled with all, point by point or one field after the other."""
    block = np.ones((number, number))
    return tensor(A, block) if interleaved else tensor(block, A)


def permuted(A: sp.csr_array, seed: int = 0) -> sp.csr_array:
    """Rows and columns in the same random order."""
    order = np.random.default_rng(seed).permutation(A.shape[0])
    A = sp.csr_array(A[order][:, order])
    A.sort_indices()
    return A


def arrow(n: int, width: int = 1) -> sp.csr_array:
    """Diagonal and the first `width` rows and columns."""
    return block_arrow(n - width, 1, width) if n > width else from_pairs(*np.indices((n, n)).reshape(2, -1), (n, n))


def block_arrow(blocks: int, size: int, width: int) -> sp.csr_array:
    """Diagonal blocks, bordered by `width` dense rows and columns that come first."""
    inner = sp.kron(sp.eye_array(blocks), np.ones((size, size)))
    m = blocks * size
    parts = [[np.ones((width, width)), np.ones((width, m))], [np.ones((m, width)), inner]]
    return _ones(sp.block_array(parts))


def dense_frame(m: int, n: int) -> sp.csr_array:
    """First and last row and column."""
    A = np.zeros((m, n))
    A[[0, -1]] = 1
    A[:, [0, -1]] = 1
    return sp.csr_array(A)


def random(m: int, n: int, density: float, seed: int = 0) -> sp.csr_array:
    """Entries at random places."""
    return _ones(sp.random_array((m, n), density=density, random_state=np.random.default_rng(seed)))


def random_symmetric(n: int, density: float, seed: int = 0, diagonal: bool = True) -> sp.csr_array:
    """Random entries and their mirror images."""
    A = random(n, n, density / 2, seed)
    A = A + A.T
    A = A - sp.diags_array(A.diagonal()) + (sp.eye_array(n) if diagonal else 0 * sp.eye_array(n))
    A = sp.csr_array(A)
    A.eliminate_zeros()
    return _ones(A)


def mesh(points: int, seed: int = 0) -> sp.csr_array:
    """Stiffness pattern of linear finite elements on a Delaunay triangulation of random points."""
    from scipy.spatial import Delaunay

    triangles = Delaunay(np.random.default_rng(seed).random((points, 2))).simplices
    rows, columns = np.repeat(triangles, 3, axis=1).ravel(), np.tile(triangles, (1, 3)).ravel()
    return from_pairs(rows, columns, (points, points))


def power_network(buses: int, seed: int = 0) -> sp.csr_array:
    """Power-flow Jacobian: two unknowns and two balances per bus of a ring with branches and a few chords."""
    rng = np.random.default_rng(seed)
    ring = np.arange(max(buses // 2, 1))
    branches = np.arange(ring.size, buses)
    ends = [(ring, np.roll(ring, 1)), (branches, (branches * rng.random(branches.size)).astype(int))]
    chords = rng.integers(0, buses, (2, buses // 5))
    rows = np.concatenate([*(a for a, _ in ends), chords[0], np.arange(buses)])
    columns = np.concatenate([*(b for _, b in ends), chords[1], np.arange(buses)])
    lines = from_pairs(np.concatenate([rows, columns]), np.concatenate([columns, rows]), (buses, buses))
    return _ones(sp.kron(np.ones((2, 2)), lines))


def _ones(A: sp.sparray) -> sp.csr_array:
    A = sp.csr_array(A)
    A.sum_duplicates()
    A.data[:] = 1
    return A
