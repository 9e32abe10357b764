"""TargetEntries of points: views and lists of entries do the same."""

from __future__ import annotations

import numpy as np
import pytest

from coloring import SparsityPattern
from sparsead.kernels import straight
from sparsead.kernels.indexmap import recognise
from sparsead.program.index import identity
from sparsead.sweeps.direct import slots
from sparsead.sweeps.direct.slots import Slots
from sparsead.sweeps.direct.target_entries import TargetEntries

GRID = identity((4, 6))
READINGS = {
    "box": GRID[1:3, 2:5],
    "backwards": GRID[::-1, ::2],
    "wrapped": np.roll(GRID, 1, axis=1),
    "twice": np.array([3, 1, 3]),
    "some left out": np.array([-1, 4, -1, 2]),
    "one for all": np.broadcast_to(GRID[0, 0], (5,)),
}


@pytest.fixture(params=[False, True], ids=["listed", "cut"])
def cut(request, monkeypatch):
    """Whether maps with tables are cut into boxes, however few points they have."""
    if request.param:
        monkeypatch.setattr(straight, "MANY", 0)
    return request.param


@pytest.mark.parametrize("name", READINGS)
def test_places_as_lists_of_entries(name, cut):
    index = READINGS[name]
    kept = index[index >= 0]
    places, rng = TargetEntries(recognise(index)), np.random.default_rng(0)
    values = rng.random(24)
    assert places.viewed == (name in ("box", "backwards") or (cut and name in ("wrapped", "twice")))
    assert places.size == kept.size
    found = np.concatenate([view.reshape(-1) for view in places.views(values)])
    np.testing.assert_array_equal(np.sort(found), np.sort(values[kept].reshape(-1)))
    np.testing.assert_array_equal(places.of_all(values), values[index])
    added = values.copy()
    np.add.at(added, kept, 2.5)
    found = values.copy()
    places.add(found, 2.5)
    np.testing.assert_array_equal(found, added)
    places.write(found, 7.0)
    added[kept] = 7.0
    np.testing.assert_array_equal(found, added)


@pytest.mark.parametrize("name", [name for name in READINGS if name != "some left out"])
def test_the_least_of_several_points_counts(name, cut):
    index = READINGS[name]
    bounds = np.random.default_rng(1).random(index.shape)
    expected, found = np.full(24, 0.5), np.full(24, 0.5)
    np.minimum.at(expected, index, bounds)
    TargetEntries(recognise(index)).lower(found, bounds)
    np.testing.assert_array_equal(found, expected)


def terms(names):
    """Rows and columns over a grid of points: a matrix of 24 unknowns."""
    kinds = {
        "diagonal": (GRID, GRID), "shifted": (GRID[:, 1:], GRID[:, :-1]), "rolled": (GRID, np.roll(GRID, 1, axis=0)),
        "rolled twice": (GRID, np.roll(GRID, (1, -2), axis=(0, 1))), "turned": (GRID[::-1], GRID),
        "dense row": (np.broadcast_to(GRID[2, 3], (24,)), GRID.reshape(-1)), "none": (GRID[:0], GRID[:0]),
        "dense column": (GRID.reshape(-1), np.broadcast_to(GRID[2, 3], (24,))), "one": (GRID[1, 2], GRID[3, 3]),
        "tables": (np.array([3, 0, 7, 7]), np.array([5, 5, 1, 2])), "a line": (GRID[1], GRID[:2, 3:].reshape(-1)),
    }  # fmt: skip
    return [kinds[name] for name in names]


@pytest.mark.parametrize("others", [["diagonal"], ["shifted", "rolled", "dense column"], ["turned", "rolled twice"]])
@pytest.mark.parametrize(
    "name", ["diagonal", "shifted", "rolled", "rolled twice", "turned", "dense row", "none", "one", "tables", "a line"]
)
def test_entries_of_maps_are_those_that_are_searched_for(name, others, cut, monkeypatch):
    monkeypatch.setattr(slots, "AT_ONCE", 5)
    pairs = terms([name, *others])
    rows, columns = (np.concatenate([np.ravel(pair[k]) for pair in pairs]) for k in (0, 1))
    found = Slots(SparsityPattern.from_coo(rows, columns, (24, 24)))
    for place, index in pairs:
        expected = found.of_entries(place, index, place.shape)
        np.testing.assert_array_equal(found.of_maps(recognise(place), recognise(index)).slot.array(), expected)


def test_entries_of_a_grid_with_edges_are_views(monkeypatch):
    """Rows are shorter at the edges, so that entries go in equal steps inside of them alone."""
    monkeypatch.setattr(slots, "MANY", 0)
    grid = identity((14, 13))
    pairs = [
        (grid, grid),
        (grid[1:], grid[:-1]),
        (grid[:-1], grid[1:]),
        (grid[:, 2:], grid[:, :-2]),
        (grid[:, :-1], grid[:, 1:]),
    ]
    rows, columns = (np.concatenate([pair[k].reshape(-1) for pair in pairs]) for k in (0, 1))
    found = Slots(SparsityPattern.from_coo(rows, columns, (grid.size, grid.size)))
    for place, index in pairs:
        places = found.of_maps(recognise(place), recognise(index))
        assert places.viewed
        expected = found.of_entries(place, index, place.shape)
        np.testing.assert_array_equal(places.slot.array(), expected)
        np.testing.assert_array_equal(places.of_all(np.arange(found.size)), expected)


def test_entries_that_are_not_there_are_an_error(cut):
    found = Slots(SparsityPattern.from_coo([0, 1, 2, 3], [0, 1, 2, 5], (24, 24)))
    with pytest.raises(AssertionError, match="no place"):
        found.of_maps(recognise(GRID[0, :4]), recognise(GRID[0, :4]))
