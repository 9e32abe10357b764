"""Periodic and tensor patterns get the fewest colors there can be, by construction."""

import numpy as np
import pytest

import coloring
from benchmarks import matrices
from benchmarks.matrices import from_steps, grid
from benchmarks.optima import ACYCLIC, ARGUED, PROVEN
from coloring import SparsityPattern
from coloring.regular import Lattice, circular_colorings, find_lattices
from tests.sizes import compiled_only, size


def cross(N):
    """Three points in every direction, as in WENO schemes; periodic."""
    return from_steps(
        N, [(0, 0), *((d * s, (1 - d) * s) for d in (0, 1) for s in (-3, -2, -1, 1, 2, 3))], periodic=True
    )


#: Patterns with so many rows are not tried in plain Python.
MOST_ROWS = size(10**6, plain=3000)


@pytest.mark.parametrize("name", [name for name, (A, _) in (PROVEN | ARGUED).items() if A.shape[0] < MOST_ROWS])
def test_the_fewest_colors(name):
    A, fewest = (PROVEN | ARGUED)[name]
    result = coloring.color(A)
    assert result.num_colors == fewest
    assert coloring.is_structurally_orthogonal(A, result.colors)
    assert result.is_optimal or name in ARGUED


@pytest.mark.parametrize("name", [*ACYCLIC][: size(3, plain=1)])
def test_the_fewest_acyclic_colors(name):
    A, fewest = ACYCLIC[name]
    result = coloring.color(A, structure="symmetric", decompression="substitution")
    assert (result.num_colors, result.is_optimal) == (fewest, True)
    assert coloring.is_acyclic(A, result.colors)


def test_five_points_need_five_stars():
    """Fertin, Raspaud, Reed (2004): grids of more than 4 x 4 points; proven here by sixteen of them."""
    result = coloring.color(grid(size(40, plain=12), 40), structure="symmetric")
    assert (result.num_colors, result.lower_bound) == (5, 5)
    assert "alone need 5 colors" in result.certificate


@pytest.mark.parametrize("name", ["ring 60, 3", "5 points, 31 x 37", "9 points, 32 x 30", "two fields, 100 x 100"])
def test_every_circular_coloring_is_a_coloring(name):
    """Not only of the rows that were looked at to find it."""
    pattern = SparsityPattern.from_scipy(PROVEN[name][0])
    offered = list(circular_colorings(pattern, range(PROVEN[name][1], PROVEN[name][1] + 3)))
    assert offered
    assert all(coloring.is_structurally_orthogonal(pattern, colors) for colors in offered)


@compiled_only
@pytest.mark.parametrize(("N", "most"), [(34, 17), (51, 17), (100, 20), (256, 18)])
def test_crosses_of_thirteen_points(N, most):
    """Of which 17 is the least number for a linear coloring, that greedy orders miss by ten."""
    result = coloring.color(cross(N))
    assert result.num_colors <= most
    assert coloring.is_structurally_orthogonal(cross(N), result.colors)


def test_coordinates_are_found():
    lattice = find_lattices(SparsityPattern.from_scipy(grid(9, 12, 31, periodic=True)))[0]
    assert (lattice.strides, lattice.lengths) == ((1, 31, 372), (31, 12, 9))
    assert lattice.periodic == (True, True, True)
    x, y, z = lattice.coordinates(np.arange(9 * 12 * 31))
    np.testing.assert_array_equal(x + 31 * (y + 12 * z), np.arange(9 * 12 * 31))
    open_one = find_lattices(SparsityPattern.from_scipy(grid(9, 12)))[0]
    assert isinstance(open_one, Lattice) and open_one.periodic == (False, False)


@pytest.mark.parametrize("A", [matrices.mesh(500), matrices.random(600, 600, 0.01), matrices.arrow(50), np.eye(20)])
def test_what_is_not_regular_is_left_alone(A):
    assert not find_lattices(SparsityPattern.from_scipy(A))
