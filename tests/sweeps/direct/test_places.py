"""Places of points: views and lists of entries do the same."""

from __future__ import annotations

import numpy as np
import pytest

from sparsead.kernels.indexmap import recognise
from sparsead.program.index import identity
from sparsead.sweeps.direct.places import Places

GRID = identity((4, 6))
READINGS = {
    "box": GRID[1:3, 2:5],
    "backwards": GRID[::-1, ::2],
    "wrapped": np.roll(GRID, 1, axis=1),
    "twice": np.array([3, 1, 3]),
    "some left out": np.array([-1, 4, -1, 2]),
    "one for all": np.broadcast_to(GRID[0, 0], (5,)),
}


@pytest.mark.parametrize("name", READINGS)
def test_places_as_lists_of_entries(name):
    index = READINGS[name]
    kept = index[index >= 0]
    places, rng = Places(recognise(index)), np.random.default_rng(0)
    values = rng.random(24)
    assert places.distinct == (name in ("box", "backwards"))
    assert places.size == kept.size
    np.testing.assert_array_equal(places.of(values).reshape(-1), values[kept].reshape(-1))
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
def test_the_least_of_several_points_counts(name):
    index = READINGS[name]
    bounds = np.random.default_rng(1).random(index.shape)
    expected, found = np.full(24, 0.5), np.full(24, 0.5)
    np.minimum.at(expected, index, bounds)
    Places(recognise(index)).lower(found, bounds)
    np.testing.assert_array_equal(found, expected)
