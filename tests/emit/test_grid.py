"""Grids, run on the CPU thread by thread in both directions, against the loops that they are made of: equal bits."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit.cuda import Module
from sparsead.emit.grid import Grids
from sparsead.emit.source import Source
from sparsead.errors import InputError
from sparsead.extend import operation
from sparsead.problems import PROBLEMS
from tests.emit.both_ways import for_few_points, points, run_both, with_grids
from tests.emit.grid_on_cpu import COMPILER
from tests.fuzz.grids import assert_equal_to_loops, attempt

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
SEEDS = 30


backends = pytest.fixture(autouse=True)(with_grids)
eager = pytest.fixture(for_few_points)
SIZES = {"bratu": 4, "broyden": 30, "brusselator": 7, "burgers": 24, "cavity": 6, "rosenbrock": 40,
         "minimal-surface": 7, "hyperelastic": 1, "power-flow": 14}  # fmt: skip


@pytest.mark.parametrize("mode", ["direct", "colored"])
@pytest.mark.parametrize("name", SIZES)
def test_benchmark_problems(name, mode, eager):
    problem = PROBLEMS[name](SIZES[name])
    if mode == "colored" and name == "hyperelastic":
        pytest.skip("some seconds of compiling, for what the others show")
    if mode == "colored":
        mode = "compressed" if problem.derivative == "jacobian" else "star"
    x = problem.x0 + 0.01
    assert_equal_to_loops(problem.derivative, problem.f, x, *problem.args, mode=mode)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_programs(seed, eager):
    if attempt(seed)["refused"]:
        pytest.skip("a recurrence, or a call of Python")


def recurrence(x):
    y = x.copy()
    for k in range(1, 60):
        y[k] = y[k] * np.sin(y[k - 1])
    return y


def test_recurrences_are_refused():
    with pytest.raises(InputError, match="needs what others store"):
        sad.jacobian(recurrence, np.ones(60), backend="grid", check=False)(np.ones(60))


def test_calls_of_python_are_refused():
    twice = operation(lambda x: 2.0 * x, jvp=lambda operands, tangents: 2.0 * tangents[0], name="twice")
    with pytest.raises(InputError, match="twice is called on the host"):
        sad.jacobian(lambda x: twice(x) ** 2, np.ones(5), backend="grid", check=False)(np.ones(5))


# -- loops written by hand ------------------------------------------------------------------------------------
def test_elements_that_points_share_are_added_up_in_order():
    slots = Random(1).choices(range(7), k=300)

    def write(source):
        with points(source, 300):
            source.write("s = x[i]")
            source.write("y[t[i]] += s * s")
            source.write("y[u[i]] += 3.0 * s")
            source.write("z[i] = s")

    grids = run_both(write, {"x": 300, "y": 7, "z": 300}, t=slots, u=slots[::-1])
    assert [len(level) for level in grids.levels] == [1, 1]
    assert grids.sizes == {"terms0": 600}


def test_what_is_set_forgets_what_was_added_before():
    def write(source):
        for _ in range(2):
            with points(source, 12):
                source.write("y[t[i]] += x[i]")
                source.write("y[u[i]] = 0.5 * x[i]")
                source.write("y[t[i]] += 2.0 * x[i]")

    slots = [0, 0, 1, 2, 3, 3, 3, 0, 1, 2, 5, 5]
    grids = run_both(write, {"x": 12, "y": 7}, t=slots, u=[0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 1])
    assert len(grids.levels) == 2, "the terms of both loops have one owner"
    assert len(grids.levels[1]) == 2, "elements that are set, and elements that are added to"


def test_what_comes_later_to_an_element_that_terms_wait_for_is_later():
    def write(source):
        with points(source, 60):
            source.write("y[t[i]] += x[i]")
        with points(source, 7):  # no two points meet here
            source.write("y[i] += 1.0e3 * x[i]")
        with points(source, 3):
            source.write("y[2 * i] = 0.7 * x[i]")
        with points(source, 60):
            source.write("y[t[i]] += 0.1 * x[i]")

    grids = run_both(write, {"x": 60, "y": 7}, t=Random(2).choices(range(7), k=60))
    assert [len(level) for level in grids.levels] == [4, 2]


def test_rows_of_any_length_and_guards():
    def write(source):
        with points(source, 6):
            source.write("begin = t[i]")
            source.write("end = t[i + 1]")
            with source.block("for k in range(begin, end):"):
                source.write("y[u[k]] += x[k] * x[i]")
            with source.block("for k in range(3):"):
                source.write("c = u[i] + k - 2")
                with source.block("if 0 <= c < 4:"):
                    source.write("y[c] += x[i] - 0.3")

    run_both(write, {"x": 20, "y": 5}, t=[0, 3, 3, 4, 9, 15, 20], u=[0, 1, 2, 3, 4] * 4)


def test_each_thread_has_scratch_memory_of_its_own():
    def write(source):
        lane = source.scratch("lane", 3)
        with points(source, 50):
            with source.block("for k in range(3):"):
                source.write(f"{lane}[k] = x[i] + k")
            source.write(f"y[i] = {lane}[t[i]] * {lane}[2]")

    grids = run_both(write, {"x": 50, "y": 50}, t=[0, 1] * 25)
    ((grid,),) = grids.levels
    assert list(grid.private.values()) == [3]


def test_scratch_memory_that_another_point_has_set_is_not_read():
    def write(source):
        lane = source.scratch("lane", 2)
        with points(source, 9):
            source.write(f"{lane}[t[i]] = x[i]")
            source.write(f"y[i] = {lane}[0]")

    with pytest.raises(AssertionError, match="has not set"):
        run_both(write, {"x": 9, "y": 9}, t=[0, 1] * 5)


def test_loops_wait_for_what_they_need_and_for_nothing_else():
    def write(source):
        for target, of in (("a", "x"), ("b", "x"), ("c", "a"), ("a", "b")):  # the last after who reads a
            with points(source, 40):
                source.write(f"{target}[i] = 2.0 * {of}[39 - i]")

    grids = run_both(write, dict.fromkeys("xabc", 40))
    assert [[grid.arrays[0] for grid in level] for level in grids.levels] == [["a", "b"], ["c"], ["a"]]


def test_parts_of_one_array_are_written_at_once():
    def write(source):
        for offset in (0, 25, 20):  # the last meets the others
            with points(source, 25):
                source.write(f"y[i + {offset}] = {offset + 1}.0 * x[i]")

    grids = run_both(write, {"x": 25, "y": 50})
    assert [len(level) for level in grids.levels] == [2, 1]


def test_a_copy_inside_an_array_is_a_grid_where_no_point_reads_what_another_writes():
    def write(distance):
        def lines(source):
            with points(source, 20):
                source.write(f"y[i + {distance}] = y[i]")

        return lines

    run_both(write(20), {"y": 40})
    with pytest.raises(InputError, match="a recurrence"):
        run_both(write(19), {"y": 40})


def rows(source, count, slots, also=()):
    with points(source, count):
        for k, slot in enumerate(slots):
            source.write(f"y[{slot}] = {k + 1}.5 * x[i]")
        for line in also:
            source.write(line)


def stretches(grids):
    return [[s.size for s in grid.stretches] for level in grids.levels for grid in level]


def test_rows_are_written_out_by_the_block_whatever_the_order_in_them():
    orders = np.array([Random(k).sample(range(3), 3) for k in range(200)])
    slots = ["3 * i + t[i]", "3 * i + u[i]", "3 * i + v[i]", "700 + i", "1150 - i"]
    tables = dict(zip("tuv", orders.T, strict=True))
    grids = run_both(lambda source: rows(source, 200, slots), {"x": 200, "y": 1200}, **tables)
    assert stretches(grids) == [[3]], "the others are not neighbours at every point"


def test_rows_may_lie_anywhere():
    places = Random(3).sample(range(300), 300)
    grids = run_both(lambda source: rows(source, 300, ["2 * t[i] + 1", "2 * t[i]"]), {"x": 300, "y": 600}, t=places)
    assert stretches(grids) == [[2]]


@pytest.mark.parametrize(
    ("slots", "also"),
    [
        (["2 * i", "2 * i + 1"], ["y[2 * i] = 7.0"]),  # the last store counts
        (["2 * i", "2 * i + 1"], ["y[2 * i + t[i]] += 7.0"]),
        (["2 * i", "2 * i + 1"], ["s = y[2 * i]", "y[2 * i + 1000] = s"]),
        (["2 * i + t[i]", "2 * i + 1"], []),  # neighbours at most points only
        (["1000 - 2 * i", "2 * i"], []),
    ],
)
def test_stores_that_are_not_alone_or_not_neighbours_are_not_staged(slots, also):
    gaps = [0] * 150 + [1000] * 50
    grids = run_both(lambda source: rows(source, 200, slots, also), {"x": 200, "y": 2000}, t=gaps)
    assert stretches(grids) == [[]]


def test_a_block_shares_no_more_than_there_is_room_for():
    slots = [f"20 * i + {k}" for k in range(20)] + [f"9000 + 5 * i + {k}" for k in range(5)]
    grids = run_both(lambda source: rows(source, 300, slots), {"x": 300, "y": 12000})
    assert stretches(grids) == [[20]]


def test_indices_beyond_32_bits():
    def write(source):
        with points(source, 4):
            source.write("far = t[i] * 1048576")
            source.write("y[far // 1048576] = x[i]")

    grids = run_both(write, {"x": 4, "y": 4096}, t=[0, 4095, 7, 2048])
    ((grid,),) = grids.levels
    assert grid.wide


def test_equal_kernels_are_written_once():
    source = Source("f", grid=True)
    for target, of in ("yx", "zy", "xz"):
        with points(source, 30):
            source.write(f"{source.array(target)}[i] = 2.0 * {source.array(of)}[i]")
    (function,) = source.functions
    module = Module()
    launches = module.launches(Grids.of(function, {}))
    assert [launch.arrays for launch in launches] == [("y", "x"), ("z", "y"), ("x", "z")]
    assert len({launch.kernel for launch in launches}) == 1 and module.text.count("__global__") == 1
