"""Colorings by tiles have fewer colors than linear ones on triangles, and are found on grids alone."""

import numpy as np
import pytest

import coloring
from benchmarks import matrices
from benchmarks.matrices import from_steps
from benchmarks.optima import hexagonal
from coloring import SparsityPattern
from coloring.problems import make_problem
from coloring.problems.small import SmallProblem
from coloring.regular import tile_colorings
from tests.coloring.helpers import COLORINGS

STAR = COLORINGS["star"]


@pytest.mark.parametrize("N", [24, 41])
def test_triangles_have_six_stars(N):
    """Proven to be the fewest by vertices that lie together."""
    A = hexagonal(N)
    result = coloring.color(A, *STAR)
    assert (result.num_colors, result.order, result.is_optimal) == (6, "tiles", True)
    assert coloring.is_star(A, result.colors)


@pytest.mark.parametrize(("N", "colors"), [(24, 6), (25, 7)])
def test_around_a_torus_tiles_have_to_fit(N, colors):
    A = from_steps(N, [(0, 0), (0, 1), (1, 0), (1, 1), (0, -1), (-1, 0), (-1, -1)], periodic=True)
    result = coloring.color(A, *STAR)
    assert result.num_colors >= colors
    assert (result.order == "tiles") == (N == 24)
    assert coloring.is_star(A, result.colors)


@pytest.mark.parametrize("kind", ["star", "acyclic"])
@pytest.mark.parametrize("stencil", ["axes", "box"])
def test_what_fits_a_tile_fits_the_grid(kind, stencil):
    """Every coloring that is offered, not only the first one."""
    A = SparsityPattern.from_scipy(matrices.grid(23, 30, stencil=stencil))
    problem = make_problem(A, *COLORINGS[kind])

    def solve(neighbors, number):
        return SmallProblem(neighbors, kind, [0] * len(neighbors), [False] * len(neighbors)).colored(number, 20_000)

    found = list(tile_colorings(A, range(5 if kind == "acyclic" else 9, 12), solve))
    assert found
    assert all(problem.solves(colors) for colors in found)


@pytest.mark.parametrize("A", [matrices.mesh(600), matrices.arrow(600), matrices.random_symmetric(600, 0.01)])
def test_no_tiles(A):
    assert "tiles" not in [name for name, _ in coloring.color(A, *STAR).tried]
    assert list(tile_colorings(SparsityPattern.from_scipy(A), range(3, 9), lambda *_: np.zeros(0, np.int32))) == []
