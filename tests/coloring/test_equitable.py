"""Equitable colorings have as many colors, more equal ones, and no vertex that could still move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import SparsityPattern, equitable

from . import reference
from .helpers import COLORINGS, MATRICES, SYMMETRIC, SYMMETRIC_MATRICES, patterns


def sides(result):
    """Colors of each side that is colored."""
    return [colors for colors in (result.row_colors, result.column_colors) if colors is not None]


def sizes(colors):
    return np.bincount(colors[colors >= 0])


@pytest.mark.parametrize("order", ["natural", "auto"])
@pytest.mark.parametrize("name", COLORINGS)
def test_as_many_colors_of_more_equal_sizes(name, order):
    for A in (SYMMETRIC_MATRICES if name in SYMMETRIC else MATRICES).values():
        plain, even = (coloring.color(A, *COLORINGS[name], order=order, equitable=e) for e in (False, True))
        coloring.from_colors(A, even.colors, *COLORINGS[name])
        for before, after in zip(sides(plain), sides(even), strict=True):
            np.testing.assert_array_equal(before < 0, after < 0)
            assert sizes(before).size == sizes(after).size
            assert (sizes(after) ** 2).sum() <= (sizes(before) ** 2).sum()
            assert np.ptp(sizes(after)) <= np.ptp(sizes(before)) if after.max(initial=-1) >= 0 else True


@pytest.mark.parametrize("name", ["column", "star", "acyclic"])
@given(data=st.data())
def test_no_vertex_could_move(name, data):
    """By the definitions, trying every vertex in every smaller color."""
    rows, columns, (n, _) = data.draw(patterns(symmetric=True, max_size=9))
    pattern = SparsityPattern.from_coo([*rows, *range(n)], [*columns, *range(n)], (n, n))
    neighbors = reference.column_intersection(pattern) if name == "column" else reference.adjacency(pattern)
    holds = {"column": reference.is_proper, "star": reference.is_star, "acyclic": reference.is_acyclic}[name]
    order = np.array(data.draw(st.permutations(range(n))), int)
    colors = coloring.color(pattern, *COLORINGS[name], order=order, equitable=True).colors.tolist()
    assert holds(neighbors, colors)
    for v, own in enumerate(colors):
        for color in set(colors):
            if colors.count(color) + 1 < colors.count(own):
                assert not holds(neighbors, [*colors[:v], color, *colors[v + 1 :]])


@pytest.mark.parametrize(
    ("A", "most"),
    [
        (np.kron(np.eye(40), np.ones((3, 3))), 0),
        (matrices.band(90, 1), 0),
        (matrices.random(100, 300, 0.02), 1),
        (matrices.random(100, 4000, 0.01), 2),
        (matrices.grid(30, 30), 1),
        (matrices.mesh(300), 1),
    ],
)
def test_columns_come_near_to_equal_groups(A, most):
    result = coloring.color(A, order="largest_first", equitable=True)
    assert np.ptp(sizes(result.colors)) <= most
    assert (result.decompress(result.compress(A)) != A).sum() == 0


def test_more_than_64_colors():
    A = np.zeros((100, 600))
    A[0, :100] = 1  # whose columns have 100 colors; the others, a few in a row, may have any
    A[1 + np.arange(500) % 99, np.arange(100, 600)] = 1
    result = coloring.color(A, equitable=True)
    assert result.num_colors == 100
    assert np.ptp(sizes(result.colors)) <= 1


def test_large_trees_are_left_alone(monkeypatch):
    A = matrices.band(400, 1)
    terms = COLORINGS["acyclic"]
    monkeypatch.setattr(equitable, "MOST_IN_TREE", 5)
    result = coloring.color(A, *terms, order="natural", equitable=True)
    assert coloring.is_acyclic(A, result.colors)
