"""Colorings in blocks are colorings, the same for any number of threads; in one block they are the greedy ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import ColoringError, SparsityPattern, kernels, speculative
from coloring.threads import in_shares
from tests.sizes import compiled_only, size

from . import reference
from .helpers import COLORINGS, MATRICES, SYMMETRIC, SYMMETRIC_MATRICES, patterns

IN_BLOCKS = ("column", "row", "star")


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(speculative, "BLOCKS", 5)
    monkeypatch.setattr(speculative, "LEAST_BLOCK", 2)


def definition(pattern, kind):
    """The graph of a coloring, and what holds of it."""
    if kind == "star":
        return reference.adjacency(pattern), reference.is_star
    return reference.column_intersection(pattern if kind == "column" else pattern.T), reference.is_proper


@pytest.mark.parametrize("kind", IN_BLOCKS)
@given(data=st.data())
def test_any_pattern_in_any_order(kind, data):
    rows, columns, shape = data.draw(patterns(kind in SYMMETRIC, max_size=14))
    pattern = SparsityPattern.from_coo(rows, columns, shape)
    order = np.array(data.draw(st.permutations(range(shape[0] if kind == "row" else shape[1]))), int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speculative, "BLOCKS", data.draw(st.integers(1, 6)))
        patch.setattr(speculative, "LEAST_BLOCK", data.draw(st.integers(1, 4)))
        found = [
            coloring.color(pattern, *COLORINGS[kind], order=order, threads=threads, postprocess=False).colors
            for threads in (1, 2, 3)
        ]
    for colors in found:
        np.testing.assert_array_equal(colors, found[0])
    neighbors, holds = definition(pattern, kind)
    assert holds(neighbors, found[0].tolist())
    assert all(color >= 0 for color in found[0])


@pytest.mark.parametrize("kind", IN_BLOCKS)
def test_one_block_is_the_greedy_algorithm(kind):
    for A in (SYMMETRIC_MATRICES if kind in SYMMETRIC else MATRICES).values():
        for order in ("natural", "random", "largest_first"):
            plain, blocks = (coloring.color(A, *COLORINGS[kind], order=order, threads=k) for k in (None, 2))
            np.testing.assert_array_equal(plain.colors, blocks.colors)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", IN_BLOCKS)
def test_searches_in_blocks(kind):
    """More than 64 colors, dense rows and grids among them."""
    dense = {"dense": np.ones((70, 70)), "grid": matrices.grid(11, 10), "arrow": matrices.arrow(size(1100, plain=110))}
    others = [*(SYMMETRIC_MATRICES if kind in SYMMETRIC else MATRICES).values()]
    for A in [*others[:: size(1, plain=4)], *dense.values()]:
        found = [coloring.color(A, *COLORINGS[kind], threads=threads) for threads in (1, 3)]
        np.testing.assert_array_equal(found[0].colors, found[1].colors)
        assert found[0].tried == found[1].tried
        coloring.from_colors(A, found[0].colors, *COLORINGS[kind])


@pytest.mark.parametrize("kind", ["column", "row"])
def test_periodic_colorings_are_checked_in_shares(kind):
    results = [coloring.color(matrices.grid(30, 41), *COLORINGS[kind], threads=threads) for threads in (1, 2, 7)]
    assert [(result.num_colors, result.order) for result in results] == [(5, "lattice")] * 3
    problem = results[2].problem
    colors = results[2].colors.copy()
    colors[1229] = colors[1228]
    assert not problem.tells_apart(colors)


@pytest.mark.parametrize("kind", IN_BLOCKS)
def test_few_vertices_are_colored_twice(kind, monkeypatch):
    """On grids, those at the ends of the blocks: the work of all threads together is in proportion."""
    monkeypatch.setattr(speculative, "LEAST_BLOCK", 100)
    module, where = (kernels.speculation, 2) if kind == "star" else (kernels.distance2, 2)
    plain, visited = module.color_block, []
    monkeypatch.setattr(module, "color_block", lambda *a: visited.append(a[where].size) or plain(*a))
    side = size(200, plain=120)
    coloring.color(matrices.grid(side, side), *COLORINGS[kind], order="natural", threads=2)
    assert len(visited) > 8
    assert side**2 <= sum(visited) <= 1.5 * side**2


def test_a_limit_gives_up(small_blocks):
    from coloring.problems import make_problem

    n = size(130, plain=66)  # colors in more than one word
    pattern = SparsityPattern.from_scipy(np.ones((n, n)))
    for kind in IN_BLOCKS:
        problem = make_problem(pattern, *COLORINGS[kind], threads=2)
        assert problem.greedy(problem.ordered("natural"), 20) is None
        assert problem.greedy(problem.ordered("natural"), n).max() == n - 1


@compiled_only
def test_kernels_let_other_threads_run():
    assert kernels.speculation.color_block.compiled.targetoptions["nogil"]


def test_what_goes_wrong_in_a_thread_is_raised():
    def fail(k):
        if k == 3:
            raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"):
        in_shares(fail, 5, threads=2)


@pytest.mark.parametrize("threads", [0, -1, 2.0, "2", True])
def test_no_number_of_threads(threads):
    with pytest.raises(ColoringError, match="expected a number from 1 on"):
        coloring.color(np.eye(3), threads=threads)
