"""Blocks of equal columns are found where they are, and only there."""

import numpy as np
import pytest
import scipy.sparse as sp

import coloring
from benchmarks import matrices
from benchmarks.matrices import grid
from coloring import SparsityPattern
from coloring.regular import block_size, blocks_of


def in_blocks(A, size):
    return SparsityPattern.from_scipy(sp.kron(A, np.ones((size, size))))


def tetrahedra(N):
    """Linear elements on N x N x N nodes, six to a cube: each node meets 14 others."""
    index = np.arange(N**3).reshape(N, N, N)
    steps = [step for step in np.ndindex(2, 2, 2) if any(step)]
    rows, columns = [index.ravel()], [index.ravel()]
    for step in steps:
        here = index[tuple(slice(0, N - d) for d in step)].ravel()
        there = index[tuple(slice(d, N) for d in step)].ravel()
        rows += [here, there]
        columns += [there, here]
    return matrices.from_pairs(np.concatenate(rows), np.concatenate(columns), (N**3, N**3))


@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("A", [grid(7, 5), matrices.random(40, 40, 0.1), matrices.mesh(60), sp.eye(1)])
def test_blocks_of_equal_columns_are_found(A, size):
    pattern = in_blocks(A, size)
    assert block_size(pattern) % size == 0
    assert blocks_of(pattern, size) == SparsityPattern.from_scipy(sp.csr_array(A))


def test_an_entry_more_ends_the_blocks():
    A = in_blocks(grid(6, 6), 3).to_scipy().tolil()
    assert block_size(SparsityPattern.from_scipy(A)) == 3
    A[0, 107] = A[1, 107] = 1
    assert block_size(SparsityPattern.from_scipy(A)) == 1


@pytest.mark.parametrize("pattern", [SparsityPattern.from_coo([], [], (n, 4)) for n in (0, 1, 2, 5)])
def test_nothing_to_compare(pattern):
    assert block_size(pattern) == 1


def test_displacements_on_tetrahedra():
    """45 entries in a row, and 45 colors, where greedy orders take about 60."""
    A = in_blocks(tetrahedra(9), 3)
    result = coloring.color(A)
    assert (result.num_colors, result.is_optimal) == (45, True)
    assert coloring.is_structurally_orthogonal(A, result.colors)
