"""Colors and numbers of colors that are known."""

import numpy as np
import pytest

import coloring
from benchmarks import matrices
from tests.sizes import size

from .helpers import COLORINGS, ORDERS


def symmetric(n: int, edges: str) -> np.ndarray:
    """Full diagonal and these edges, numbered from 1."""
    A = np.eye(n)
    for edge in edges.split():
        i, j = (int(v) - 1 for v in edge.split("-"))
        A[i, j] = A[j, i] = 1
    return A


SIX = symmetric(6, "1-2 2-3 2-5 2-6 3-4 4-6")
TEN = symmetric(10, "1-2 1-7 2-3 2-5 3-4 3-6 4-10 5-6 5-8 6-9 7-8 8-9 9-10")


@pytest.mark.parametrize(
    ("A", "decompression", "colors"),
    [
        (SIX, "direct", [1, 2, 1, 3, 1, 1]),
        (TEN, "direct", [1, 2, 1, 3, 1, 4, 3, 5, 1, 2]),
        (TEN, "substitution", [1, 2, 1, 2, 1, 3, 2, 3, 2, 1]),
    ],
    ids=["six star", "ten star", "ten acyclic"],
)
def test_the_published_colors_in_natural_order(A, decompression, colors):
    result = coloring.color(A, "symmetric", decompression=decompression, order="natural")
    assert (result.colors + 1).tolist() == colors


@pytest.mark.parametrize("n", [size(5000, plain=100), size(10000, plain=700)])
@pytest.mark.parametrize("bands", [10, 20])
def test_symmetric_bands(n, bands):
    A = matrices.band(n, bands // 2)
    star = coloring.color(A, "symmetric", order="natural")
    acyclic = coloring.color(A, "symmetric", decompression="substitution", order="natural")
    assert (star.num_colors, star.lower_bound) == (bands + 1, bands + 1)
    assert (acyclic.num_colors, acyclic.lower_bound) == (bands // 2 + 1, bands // 2 + 1)


@pytest.mark.parametrize("half_bandwidth", [1, 4, 9])
def test_perfect_elimination_finds_a_hidden_band(half_bandwidth):
    A = matrices.permuted(matrices.band(700, half_bandwidth), seed=half_bandwidth)
    result = coloring.color(A, "symmetric", decompression="substitution", order="perfect_elimination")
    assert result.num_colors == half_bandwidth + 1
    assert result.is_optimal


@pytest.mark.parametrize(("postprocess", "colors"), [(False, 2), (True, 1)])
def test_the_anti_diagonal_needs_one_side(postprocess, colors):
    A = np.eye(4)[::-1]
    result = coloring.color(A, partition="bidirectional", order="natural", postprocess=postprocess)
    assert result.num_colors == colors


def test_a_dense_frame_needs_four():
    result = coloring.color(matrices.dense_frame(10, 20), partition="bidirectional")
    assert (result.num_colors, result.num_row_colors, result.num_column_colors) == (4, 2, 2)


def test_smallest_first_reaches_the_optimum_of_a_dense_frame_and_largest_first_does_not():
    A = matrices.dense_frame(10, 20)
    count = {
        order: coloring.color(A, partition="bidirectional", order=order).num_colors
        for order in ("smallest_first", "largest_first")
    }
    assert count["smallest_first"] == 4 < count["largest_first"]


@pytest.mark.parametrize(
    ("name", "colors"),
    [
        ("column", 300),
        ("row", 300),
        ("star", 2),
        ("acyclic", 2),
        ("star bicoloring", 3),
        ("acyclic bicoloring", 3),
    ],
)
def test_the_arrow(name, colors):
    assert coloring.color(matrices.arrow(300), *COLORINGS[name]).num_colors == colors


@pytest.mark.parametrize("order", ORDERS)
def test_columns_of_the_five_point_grid(order):
    most = {"saturation": 5, "random": 11, "smallest_first": 11, "dynamic_largest_first": 9}
    result = coloring.color(matrices.grid(40, 40), order=order)
    assert 5 <= result.num_colors <= most.get(order, 7)
    assert result.is_optimal == (order == "saturation")


@pytest.mark.parametrize(
    ("A", "colors"),
    [
        (matrices.grid(40, 40), 5),
        (matrices.grid(20, 13, 17), 7),
        (matrices.grid(20, 20, 20), 7),
        (matrices.grid(30, 31, stencil="box"), 9),
        (matrices.grid(9, 8, 7, stencil="box"), 27),
        (matrices.grid(40, 40, periodic=True), 5),
        (matrices.grid(14, 14, 14, periodic=True), 7),
        (matrices.two_fields(30), 6),
    ],
    ids=["5-point", "7-point", "7-point cube", "9-point", "27-point", "5 periodic", "7 periodic", "two fields"],
)
@pytest.mark.parametrize("partition", ["column", "row"])
def test_grids_get_their_perfect_colorings(A, colors, partition):
    result = coloring.color(A, partition=partition)
    assert result.num_colors == colors
    assert result.is_optimal
