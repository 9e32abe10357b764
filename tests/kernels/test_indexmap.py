"""Index maps: recognised in the cheapest form, and equal to the index array they came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.program.index import identity

GRID = identity((4, 5))


@pytest.mark.parametrize(
    ("index", "form"),
    [
        (GRID, "affine"),
        (GRID.T, "affine"),
        (GRID[::-1, ::2], "affine"),
        (np.broadcast_to(GRID[:, :1], (4, 7)), "affine"),
        (GRID[1:3, 2], "affine"),
        (GRID.copy(), "affine"),
        (np.roll(GRID, 1, axis=0), "separable"),
        (np.roll(GRID, (1, 2), axis=(0, 1)), "separable"),
        (np.pad(GRID, 1, mode="edge"), "separable"),
        (GRID[np.ix_([0, 3, 1], [2, 2])], "separable"),
        (np.array([[3, 1], [1, 2]]), "table"),
        (np.array([[-1, 0], [1, 2]]), "table"),
        (np.array(7), "affine"),
        (np.empty((0, 3), np.int32), "affine"),
    ],
)
def test_the_cheapest_form_is_recognised(index, form):
    found = recognise(index)
    assert found.form == form
    np.testing.assert_array_equal(found.array(), index)


def test_a_roll_needs_a_table_of_one_axis_only():
    found = recognise(np.roll(identity((300, 400)), 1, axis=0))
    assert sum(len(t.entries) for t in found.tables) == 300


def test_masked_maps_say_so():
    for index in ([[2, -1], [0, 1]], [2, -1, 0], [-1, 0, 1], [-1, -1], [[3, -1]], [[-1], [0]]):
        assert recognise(np.array(index)).masked
    for index in ([[2, 5], [0, 1]], [5, 3, 9], [3, 2, 1, 0]):
        found = recognise(np.array(index))
        assert not found.masked and not found.backwards().masked


@pytest.mark.parametrize("index", [[-1, -1, 2], [3, 1, -1], [-1], [[-1], [4]], [[-1, -1, 3]], [0, -1]])
def test_masked_maps_of_one_axis_say_so(index):
    assert recognise(np.array(index)).masked


@pytest.mark.parametrize("index", [[5, 3, 0, 1], [2, 1, 2, 0], [[7, 5, 6], [2, 0, 1]]])
def test_tables_that_go_down_from_an_offset_are_not_masked(index):
    assert not recognise(np.array(index)).masked


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@given(shapes, st.randoms(use_true_random=False))
def test_any_index_array_comes_back(shape, random):
    size = int(np.prod(shape))
    index = np.array([random.randrange(-1, 2 * size) for _ in range(size)]).reshape(shape)
    np.testing.assert_array_equal(recognise(index).array(), index)


@given(shapes, st.randoms(use_true_random=False))
def test_merging_axes_keeps_the_map(shape, random):
    index = identity(shape)
    if random.random() < 0.5:
        index = np.roll(index, 1, axis=random.randrange(len(shape)))
    found = recognise(index)
    for axis in range(len(shape) - 1):
        merged = found.merged(axis)
        if merged is not None:
            np.testing.assert_array_equal(merged.array().reshape(shape), index)


@given(shape=st.lists(st.integers(1, 4), min_size=0, max_size=3).map(tuple), random=st.randoms(use_true_random=False))
def test_affine_maps_of_distinct_elements_are_views(shape, random):
    strides = tuple(random.randint(-9, 9) for _ in shape)
    lowest = sum(min(0, s * (n - 1)) for s, n in zip(strides, shape, strict=True))
    index = IndexMap(shape, random.randint(0, 3) - lowest, strides)
    elements = index.array()
    values = np.arange(100.0, 300.0)
    if index.is_affine_and_distinct:
        assert np.unique(elements).size == elements.size
        index.view_of(values)[...] += 1000.0
        assert np.array_equal(np.flatnonzero(values >= 1000.0), np.sort(elements, axis=None))
    else:
        np.testing.assert_array_equal(index.view_of(values), values[elements])
    np.testing.assert_array_equal(index.view_of(np.broadcast_to(3.0, 200)), np.full(shape, 3.0))


def test_maps_into_a_part_of_an_array_are_less_by_where_it_starts():
    rng = np.random.default_rng(3)
    grids = [GRID, GRID.T, GRID[::-1, ::2], np.roll(GRID, 1, axis=0), GRID[np.ix_([3, 0, 1], [2, 4])], np.array(7)]
    grids += [rng.integers(0, 40, (4, 3)) for _ in range(20)]
    for grid in grids:
        for start in (0, 1, 17):
            index = recognise(grid + start)
            assert index.bounds == ((grid + start).min(), (grid + start).max())
            for less in (0, start):
                moved = index.less(less)
                np.testing.assert_array_equal(moved.array(), grid + start - less)
                assert not moved.masked
    assert recognise(np.array([2, -1, 0])).bounds[0] == -1
    assert recognise(np.empty((0, 3), np.int32)).bounds == (0, -1)
