"""Pictures show every entry in the color of its group."""

import numpy as np
import pytest

import coloring
from benchmarks import matrices
from coloring import SparsityPattern
from coloring.plotting import binned_counts

from .helpers import COLORINGS, MATRICES


def pixels(ax):
    return np.asarray(ax.images[0].get_array())


@pytest.mark.parametrize("name", ["mesh", "wide", "dense_frame", "zero", "one", "empty", "no_rows"])
def test_spy_marks_the_entries(name):
    A = MATRICES[name]
    ax = SparsityPattern.from_scipy(A).spy()
    if A.shape[0] and A.shape[1]:
        np.testing.assert_array_equal(pixels(ax), A.toarray() != 0)


def test_large_patterns_are_binned():
    pattern = SparsityPattern.from_scipy(matrices.band(5000, 2))
    counts = binned_counts(pattern)
    assert counts.shape == (400, 400)
    assert counts.sum() == pattern.nnz
    assert (counts.diagonal() > 0).all()


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
