"""Elements that several points add to, computed by their owners: equal bits, and terms at the margins only."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from tests.emit.both_ways import points, run_both, with_grids
from tests.emit.grid_on_cpu import COMPILER

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
backends = pytest.fixture(autouse=True)(with_grids)


def kept(grids):
    """Return how many terms are kept."""
    return sum(grids.sizes.values())


def staged(grids):
    """Return for each grid how many points it has, and the sizes of its stretches."""
    return [(grid.points, [s.size for s in grid.stretches]) for level in grids.levels for grid in level]


def test_rows_that_neighbours_add_to():
    def write(source):
        with points(source, 300):
            source.write("a = x[i] * x[i + 1]")
            source.write("b = x[i] - a")
            source.write("y[3 * i + 1] += a")
            source.write("y[3 * i + 2] = b")
            source.write("y[3 * i + 3] += a * b")
            source.write("y[3 * i + 4] += b + 1.0")

    grids = run_both(write, {"x": 301, "y": 905})
    assert (299, [3]) in staged(grids)
    assert kept(grids) == 4 * 2, "of the first point and of the last"


def test_terms_are_added_in_the_order_of_points_and_what_is_set_forgets_those_before():
    def write(source):
        with points(source, 200):
            source.write("y[2 * i + 4] += 1.0e16 * x[i]")
            source.write("y[2 * i + 2] += x[i]")
            source.write("y[2 * i] += -1.0e16 * x[i + 1]")
            source.write("y[2 * i + 5] += 0.1 * x[i]")
            source.write("y[2 * i + 3] = 0.2 * x[i]")
            source.write("y[2 * i + 1] += 0.3 * x[i]")

    grids = run_both(write, {"x": 201, "y": 420})
    assert kept(grids) < 40


@pytest.mark.parametrize("width", [7, 64, 400])
def test_lines_of_a_plane(width):
    lines = 30

    def write(source):
        with points(source, (width - 1) * lines):
            source.write(f"l = i // {width - 1}")
            source.write("j = i + l")
            source.write("s = x[j] * x[j + 1]")
            for k, far in enumerate((0, 1, width, width + 1)):
                source.write(f"y[2 * j + {2 * far}] += s + {k}.5")
                source.write(f"y[2 * j + {2 * far + 1}] += s * {k}.5")

    grids = run_both(write, {"x": width * (lines + 2), "y": 2 * width * (lines + 2)})
    assert kept(grids) < 8 * (3 * width + 6 * lines)
    assert max(count for count, _ in staged(grids)) == (width - 2) * (lines - 1)


def test_neighbours_share_what_they_compute():
    width, lines = 400, 6

    def write(source):
        with points(source, (width - 1) * lines):
            source.write(f"j = i + i // {width - 1}")
            source.write("s = sqrt(x[j] * x[j + 1])")
            for k, far in enumerate((0, 1, width, width + 1)):
                source.write(f"y[j + {far}] += s * {k}.5")

    grids = run_both(write, {"x": width * (lines + 2), "y": width * (lines + 2)})
    (grid,) = (g for level in grids.levels for g in level if g.layer)
    assert grid.layer.reach == 2, "a neighbour, and a point that owns nothing where a line ends"
    assert grid.layer.grid.procedure.text.count("sqrt") == 2, "of the point and of that in the next line, not of four"
    assert "sqrt" not in grid.procedure.text
    assert kept(grids) < 4 * (3 * width + 6 * lines), "what is shared is in the memory of the block"


def test_an_element_that_gets_a_term_out_of_the_ordinary_has_no_owner():
    out = np.arange(300)
    out[[40, 41, 200]] = [120, 120, 7]

    def write(source):
        with points(source, 300):
            source.write("y[i] += x[i]")
            source.write("y[i + 1] += 2.0 * x[i]")
            source.write("y[t[i]] += 3.0 * x[i]")

    grids = run_both(write, {"x": 300, "y": 301}, t=out)
    assert 0 < kept(grids) <= 3 * 20
    assert max(count for count, _ in staged(grids)) >= 290


def test_elements_without_order_have_no_owners():
    slots = Random(4).choices(range(200), k=300)

    def write(source):
        with points(source, 300):
            source.write("y[t[i]] += x[i]")
            source.write("y[i // 2] += 2.0 * x[i]")

    assert kept(run_both(write, {"x": 300, "y": 200}, t=slots)) == 600


def test_terms_of_earlier_loops_come_first():
    def write(source):
        for factor in (1.0e16, 1.0, -1.0e16):
            with points(source, 200):
                source.write(f"y[i] += {factor!r} * x[i]")
                source.write(f"y[i + 1] += {factor!r} * x[i]")

    run_both(write, {"x": 200, "y": 201})


def test_what_else_a_loop_stores_is_stored_once_by_each_point():
    def write(source):
        with points(source, 150):
            source.write("s = x[i] + 1.0")
            source.write("y[i] += s")
            source.write("z[2 * i] = s * s")
            source.write("y[i + 1] += 2.0 * s")
            source.write("z[2 * i + 1] += s")
        with points(source, 150):  # no two points meet
            source.write("u[2 * i + 1] = x[i]")
            source.write("u[2 * i] += x[t[i]]")
            source.write("v[i] += x[i]")

    grids = run_both(write, {"x": 150, "y": 151, "z": 300, "u": 300, "v": 150}, t=np.arange(150)[::-1])
    assert kept(grids) <= 4


def test_several_rows():
    count = 4200
    after = np.roll(np.arange(count), -1)  # periodic

    def write(source):
        with points(source, count):
            for far in (0, 3 * count):
                source.write(f"y[3 * i + {far}] += x[i]")
                source.write(f"y[3 * i + {far + 1}] += 2.0 * x[i]")
                source.write(f"y[3 * t[i] + {far}] += 3.0 * x[i]")

    grids = run_both(write, {"x": count, "y": 6 * count}, t=after)
    assert [s for s in staged(grids) if s[0] > 300] == [(count - 1, [2]), (count - 1, [2])]


def test_additions_of_a_few_points_join_the_terms_of_others():
    def write(source):
        fill(source, 600)
        for begin in (0, 3, 590):
            with points(source, 5):
                source.write(f"y[i + {begin}] += x[i]")
        with points(source, 599):
            source.write("y[i] += 2.0 * x[i]")
            source.write("y[i + 1] += 3.0 * x[i]")

    grids = run_both(write, {"x": 600, "y": 600})
    assert len(grids.levels) == 2


# -- fills -------------------------------------------------------------------------------------------------------
def fill(source, count, value="0.0", far=0):
    with points(source, count):
        source.write(f"y[i + {far}] = {value}")


def test_owners_begin_with_what_would_have_filled_their_elements():
    def write(source):
        fill(source, 400)
        with points(source, 200):
            source.write("y[2 * i] += (-0.0) * x[i]")
            source.write("y[2 * i + 1] += x[i]")
            source.write("y[2 * i] += (-0.0) * x[i]")

    grids = run_both(write, {"x": 200, "y": 400})
    assert staged(grids) == [(200, [2])], "nothing is left to fill"


def test_terms_begin_with_what_would_have_filled_their_elements():
    slots = Random(5).choices(range(100), k=600)

    def write(source):
        fill(source, 120, "0.25")
        with points(source, 600):
            source.write("y[t[i]] += x[i]")

    grids = run_both(write, {"x": 600, "y": 120}, t=slots)
    assert [len(level) for level in grids.levels] == [2, 1]
    assert grids.levels[0][0].points == 600 and grids.levels[0][1].points == 120 - len(set(slots))


@pytest.mark.parametrize("later", [0, 20, 150])
def test_fills_in_between(later):
    def write(source):
        fill(source, 200)
        with points(source, 199):
            source.write("y[i] += x[i]")
            source.write("y[i + 1] += x[i]")
        fill(source, 50, "0.5", later)
        with points(source, 30):
            source.write("z[i] = y[5 * i]")
        fill(source, 50, "0.75", 2 * later // 3)
        with points(source, 199):
            source.write("y[i] += x[i]")
            source.write("y[i + 1] += x[i]")

    run_both(write, {"x": 199, "y": 200, "z": 30})


def test_what_is_filled_can_be_read_at_once():
    def write(source):
        fill(source, 100)
        with points(source, 100):
            source.write("z[i] = y[99 - i] + 1.0")

    run_both(write, {"y": 100, "z": 100})
