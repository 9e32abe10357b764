"""Pictures show every entry in the color of its group."""

import numpy as np
import pytest
import scipy.sparse

import coloring
from benchmarks import matrices
from coloring import SparsityPattern
from tests.sizes import size

from ..helpers import COLORINGS, MATRICES


def pixels(ax):
    return np.asarray(ax.images[0].get_array())


@pytest.mark.parametrize("name", ["mesh", "wide", "dense_frame", "zero", "one", "empty", "no_rows"])
def test_spy_marks_the_entries(name):
    A = MATRICES[name]
    ax = SparsityPattern.from_scipy(A).spy()
    if A.shape[0] and A.shape[1]:
        np.testing.assert_array_equal((pixels(ax) != 1).any(axis=-1), A.toarray() != 0)


def artists(axes):
    return sum(len(ax.findobj()) for ax in axes)


def test_large_patterns_are_darker_where_there_are_more_entries():
    n = 5000
    A = scipy.sparse.lil_array(matrices.band(n, 2))
    A[0, n - 1] = 1.0
    picture = pixels(SparsityPattern.from_scipy(A).spy())
    assert picture.shape == (400, 400, 4)
    darkness = 1.0 - picture[..., 0]
    assert darkness[5, 5] > 2 * darkness[0, 399] > 0 == darkness[0, 200]


@pytest.mark.parametrize("partition", ["column", "row", "bidirectional"])
def test_a_million_rows_are_a_picture_like_any_other(partition):
    n = size(1_000_000, plain=3_000)
    A = scipy.sparse.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(n, n), format="csr")
    result = coloring.color(A, partition=partition, order="natural")
    axes = [SparsityPattern.from_scipy(A).spy(), *result.spy().axes]
    assert artists(axes) < 1000
    for ax in axes:
        assert max(pixels(ax).shape) <= 400
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        assert max(right - left, bottom - top) == n


@pytest.mark.parametrize("name", COLORINGS)
def test_columns_of_one_color_look_alike(name):
    A = MATRICES["power_network"]
    result = coloring.color(A, *COLORINGS[name])
    figure = result.spy()
    matrix = pixels(figure.axes[0])
    white = (matrix == 1).all(axis=-1)
    np.testing.assert_array_equal(~white, A.toarray() != 0)
    sides = (result.num_row_colors > 0) + (result.num_column_colors > 0)
    assert len(figure.axes) >= 1 + sides
    if name == "column":
        shades = {}
        for i, j in zip(*A.nonzero(), strict=True):
            assert shades.setdefault(result.colors[j], tuple(matrix[i, j])) == tuple(matrix[i, j])
        assert len(set(shades.values())) == result.num_colors


def test_a_picture_can_be_written(tmp_path):
    file = tmp_path / "picture.png"
    coloring.color(MATRICES["dense_frame"], partition="bidirectional").spy().savefig(file)
    assert file.stat().st_size > 1000
