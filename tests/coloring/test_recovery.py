"""Recovery block by block, in place, of a triangle; and what is refused."""

import numpy as np
import pytest

import coloring
from benchmarks import matrices
from coloring import ColoringError

from .helpers import COLORINGS, SYMMETRIC, stored_in_order, with_values

A = with_values(matrices.power_network(40), symmetric=True)


def pair(result, B):
    """(B_row, B_column), None for a side that is not colored."""
    if result.partition == "bidirectional":
        return B
    return (B, None) if result.partition == "row" else (None, B)


@pytest.mark.parametrize("width", [1, 3, 100])
@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("name", COLORINGS)
def test_blocks_of_colors_give_the_whole(name, width, layout):
    result = coloring.color(A, *COLORINGS[name])
    B = result.compress(A)
    B_row, B_column = pair(result, B)
    out = np.full(A.nnz, np.nan)
    if B_column is not None:
        for first in range(0, result.num_column_colors, width):
            block = np.array(B_column[:, first : first + width], order=layout)
            result.plan.decompress_block(block, first, out)
    if B_row is not None:
        for first in range(0, result.num_row_colors, width):
            block = np.array(B_row[first : first + width], order=layout)
            result.plan.decompress_block(block, first, out, side="row")
    result.plan.finish(out)
    np.testing.assert_array_equal(out, result.decompress(B).data)


@pytest.mark.parametrize("name", COLORINGS)
def test_in_place_every_entry_is_written_and_nothing_moves(name):
    result = coloring.color(A, *COLORINGS[name])
    out = result.decompress(result.compress(A))
    out.data[:] = np.nan
    data = out.data
    again = result.decompress(result.compress(2 * A), out=out)
    assert again is out
    assert again.data is data
    np.testing.assert_allclose(data, 2 * stored_in_order(A), rtol=1e-9)


@pytest.mark.parametrize("name", COLORINGS)
@pytest.mark.parametrize(("triangle", "part"), [("lower", np.tril), ("upper", np.triu)])
def test_one_triangle(name, triangle, part):
    result = coloring.color(A, *COLORINGS[name])
    B = result.compress(A)
    half = result.decompress(B, triangle=triangle)
    np.testing.assert_array_equal(half.toarray(), part(result.decompress(B).toarray()))
    half.data[:] = 0
    result.decompress(B, out=half, triangle=triangle)
    np.testing.assert_array_equal(half.toarray(), part(result.decompress(B).toarray()))


@pytest.mark.parametrize("name", COLORINGS)
def test_compression_is_the_product_with_the_seeds(name):
    result = coloring.color(A, *COLORINGS[name])
    seeds, groups = result.seed_matrix(), result.groups()
    B_row, B_column = pair(result, result.compress(A))
    S_row, S_column = pair(result, seeds)
    members_row, members_column = pair(result, groups)
    if B_column is not None:
        np.testing.assert_allclose(B_column, A @ S_column, atol=1e-12)
        assert [set(np.flatnonzero(s)) for s in S_column.T] == [set(group) for group in members_column]
    if B_row is not None:
        np.testing.assert_allclose(B_row, S_row.T @ A, atol=1e-12)
        assert [set(np.flatnonzero(s)) for s in S_row.T] == [set(group) for group in members_row]


def test_substitution_chains_are_short():
    """A path is peeled from both ends: 50 steps to its centre, not 100 from one end to the other."""
    n = 101
    plan = coloring.color(matrices.band(n, 1), *SYMMETRIC["acyclic"], order="natural").plan
    depth = np.zeros(plan.line.size, int)
    for taken, feeds in zip(plan.taken, plan.feeds, strict=True):
        if feeds >= 0:
            depth[feeds] = max(depth[feeds], depth[taken] + 1)
    assert depth.max() == (n - 1) // 2 - 1


def test_direct_recovery_of_a_symmetric_matrix_needs_no_substitution():
    plan = coloring.color(A, "symmetric").plan
    assert plan.taken.size == plan.feeds.size == plan.source.size == 0


@pytest.mark.parametrize("name", COLORINGS)
def test_wrong_shapes_are_refused(name):
    result = coloring.color(A, *COLORINGS[name])
    with pytest.raises(ColoringError, match=r"a matrix of shape \(3, 3\); this coloring is for \(80, 80\)"):
        result.compress(np.eye(3))
    wrong = np.ones((1, 1))
    with pytest.raises(ColoringError, match=r"a compressed matrix of shape \(1, 1\); expected"):
        result.decompress((wrong, wrong) if result.partition == "bidirectional" else wrong)
    B = result.compress(A)
    with pytest.raises(ColoringError, match="Pass a matrix that decompress returned before"):
        result.decompress(B, out=coloring.SparsityPattern.from_scipy(np.eye(80)).to_scipy())
    with pytest.raises(ColoringError, match="unknown triangle 'left'"):
        result.decompress(B, triangle="left")
    with pytest.raises(ColoringError, match="this coloring has"):
        result.plan.decompress_block(np.ones((80, 1)), 1000, np.ones(A.nnz))


def test_the_summary_says_what_is_known():
    assert repr(coloring.color(np.eye(3))) == (
        "<nonsymmetric column coloring of 3 x 3 for direct recovery: 1 color (optimal), order natural>"
    )
