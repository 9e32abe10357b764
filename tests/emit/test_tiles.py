"""Two layers in one tile: equal bits, and a work array that is written where points out of the ordinary need it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.emit.both_ways import points, run_both, with_grids
from tests.emit.grid_on_cpu import COMPILER

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
backends = pytest.fixture(autouse=True)(with_grids)
COUNT = 1500


def layers(first, second, also=()):
    """Return what writes two loops, the second of which reads w."""

    def write(source):
        with points(source, COUNT):
            for line in first:
                source.write(line)
        for line in also:
            with points(source, COUNT):
                source.write(line)
        with points(source, COUNT - 40):
            for line in second:
                source.write(line)

    return write


def tiles(grids):
    """Return the reach of each layer, and the points of the grids that have none."""
    found = [grid for level in grids.levels for grid in level]
    return [g.layer.reach for g in found if g.layer], sorted(g.points for g in found if not g.layer)


SIZES = {"x": COUNT, "w": 2 * COUNT, "y": 3 * COUNT, "z": COUNT}
FIRST = ["s = x[i] * x[i]", "w[2 * i] = s", "w[2 * i + 1] = s - x[i]"]


@pytest.mark.parametrize("far", [0, 1, 31])
def test_tiles_reach_as_far_as_points_read(far):
    second = [f"y[2 * i] = w[2 * i + {2 * far}] - w[2 * i + 5]", "y[2 * i + 1] = x[i] * w[2 * i + 3]"]
    grids = run_both(layers(FIRST, second), SIZES, ["w"])
    assert tiles(grids) == ([max(far, 2) - min(far, 1)], [])


def test_several_arrays():
    first = ["s = x[i] * x[i]", "w[2 * i] = s", "v[i] = s - x[i]", "w[2 * i + 1] = 0.5 * s"]
    second = ["y[2 * i] = w[2 * i + 3] * v[i]", "y[2 * i + 1] = v[i + 2] - w[2 * i]"]
    sizes = SIZES | {"v": COUNT}
    grids = run_both(layers(first, second), sizes, ["w", "v"])
    assert tiles(grids) == ([2], []) and tiles(run_both(layers(first, second), sizes, ["v"]))[0] == []
    grids = run_both(layers(first, [*second, "y[2 * i] += v[1459 - i]"]), sizes, ["w", "v"])
    assert tiles(grids)[0] == [], "one of them is read from elsewhere, too"


def test_too_far():
    grids = run_both(layers(FIRST, ["y[i] = w[2 * i] + w[2 * i + 70]"]), SIZES, ["w"])
    assert tiles(grids)[0] == []


def test_what_others_read_is_written():
    def write(source):
        layers(FIRST, ["y[i] = w[2 * i] + w[2 * i + 2]"])(source)
        with points(source, 40):
            source.write("z[i] = w[2 * i + 33]")

    assert tiles(run_both(write, SIZES, ["w"])) == ([1, 0], []), "a block computes what few points read"
    assert tiles(run_both(write, SIZES, [])) == ([], [40, COUNT - 40, COUNT]), "an array that is asked for"


def test_what_too_many_read_for_one_block_is_written():
    def write(source):
        layers(FIRST, ["y[i] = w[2 * i] + w[2 * i + 2]"])(source)
        with points(source, 40):
            source.write("z[i] = w[2 * i + 33] - w[2 * i]")

    assert tiles(run_both(write, SIZES, ["w"])) == ([1], [40, 56])


def test_the_ends_of_a_periodic_domain():
    after = np.roll(np.arange(COUNT), -1)

    def write(source):
        with points(source, COUNT):
            source.write("w[2 * i] = x[i] * x[t[i]]")
            source.write("w[2 * i + 1] = x[i] - x[t[i]]")
        with points(source, COUNT):
            source.write("y[2 * i + u[i]] = w[2 * t[i]] - w[2 * i]")
            source.write("y[2 * i + 1 - u[i]] = w[2 * t[i] + 1]")

    last = np.arange(COUNT) == COUNT - 1  # the columns of the last row are in another order
    grids = run_both(write, SIZES, ["w"], t=after, u=last.astype(int))
    assert tiles(grids) == ([1, 0], []) and len(grids.levels) == 1, "the ends have a block of their own"


def test_numbers_that_are_overwritten_in_between():
    grids = run_both(layers(FIRST, ["y[i] = w[2 * i + 2]"], also=["x[i] = 0.5 * z[i]"]), SIZES, ["w"])
    assert tiles(grids)[0] == []


def test_an_array_that_is_written_twice():
    grids = run_both(layers(FIRST, ["y[i] = w[2 * i + 2]"], also=["w[2 * i] = 0.5 * z[i]"]), SIZES, ["w"])
    assert tiles(grids)[0] == []


def test_another_element_at_some_points():
    some = np.arange(COUNT)
    some[700] = 3
    grids = run_both(layers(FIRST, ["y[i] = w[2 * t[i]]"]), SIZES, ["w"], t=some)
    assert tiles(grids)[0] == []


def test_one_of_a_chain_of_layers():
    def write(source):
        for k, (target, of) in enumerate(("wx", "vw", "yv")):
            with points(source, COUNT - k - 1):
                source.write(f"{target}[i] = {of}[i] - 0.5 * {of}[i + 1]")

    grids = run_both(write, dict.fromkeys("xwvy", COUNT), ["w", "v"])
    assert len(tiles(grids)[0]) == 1
