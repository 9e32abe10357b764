"""Star and acyclic colorings of grids by tiles: a small torus is colored, and the grid is covered with copies of it.

The grid goes around the torus many times.  If no vertex of the torus is adjacent to itself or to another one twice, a
path of two colors on the grid is one on the torus, so that a star coloring of that is one of the grid.  Triangles have
such a coloring with 6 colors, on tiles of 3 x 6 vertices, while linear ones (`circular`) take 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product

import numpy as np

from ..pattern import SparsityPattern
from .lattice import Lattice, find_lattices

#: Vertices of a tile, directions to neighbors, numbers of colors that are tried, and tiles for each.
MOST_IN_TILE, MOST_DIRECTIONS, MOST_NUMBERS, MOST_TILES = 36, 13, 4, 20

#: From the neighbors of each vertex of a tile, and a number of colors, to the colors, or to nothing.
Solve = Callable[[list[set[int]], int], "np.ndarray | None"]


def looks_tiled(A: SparsityPattern) -> bool:
    """Whether the graph looks like a grid with few neighbors: quick to see, before tiles are looked for."""
    return any(lattice.directions.shape[1] <= MOST_DIRECTIONS for lattice in find_lattices(A, of_edges=True)[:1])


def tile_colorings(A: SparsityPattern, numbers: range, solve: Solve) -> Iterator[np.ndarray]:
    """Colorings of the graph whose adjacency matrix is `A`; nothing is found unless it looks like that of a grid.

    Parameters
    ----------
    A : SparsityPattern
        The matrix.
    numbers : range
        Numbers of colors to try, in order.
    solve : callable
        What colors a tile.

    Yields
    ------
    ndarray of int32, shape (n,)
        Candidates, which the caller checks.
    """
    for lattice in find_lattices(A, of_edges=True)[:1]:
        if lattice.directions.shape[1] > MOST_DIRECTIONS:
            return
        tiles = ((tile, _neighbors(lattice, tile)) for tile in _tiles(lattice))
        usable = list(islice(((tile, around) for tile, around in tiles if around is not None), MOST_TILES))
        for c, (tile, around) in product(numbers[:MOST_NUMBERS], usable):
            colors = solve(around, c)
            if colors is not None:
                x = lattice.coordinates(np.arange(A.shape[1]))
                yield colors[np.ravel_multi_index([a % side for a, side in zip(x, tile, strict=True)], tile)]


def _tiles(lattice: Lattice) -> list[tuple[int, ...]]:
    """Sides of tiles, small ones first; around a ring they have to fit."""
    sides = [
        [side for side in range(min(3, size), min(size, MOST_IN_TILE // 3) + 1) if not around or size % side == 0]
        for size, around in zip(lattice.lengths, lattice.periodic, strict=True)
    ]
    tiles = [tile for tile in product(*sides) if np.prod(tile) <= MOST_IN_TILE]
    return sorted(tiles, key=lambda tile: (int(np.prod(tile)), tile))


def _neighbors(lattice: Lattice, tile: tuple[int, ...]) -> list[set[int]] | None:
    """Neighbors of each vertex of the torus; None if two of them are the same, or the vertex itself."""
    size = np.array(tile)[:, None]
    found = []
    for x in product(*map(range, tile)):
        here = np.array(x)[:, None]
        there = np.concatenate([here + lattice.directions, here - lattice.directions], axis=1) % size
        around = set(np.ravel_multi_index(tuple(there), tile).tolist())
        if len(around) < there.shape[1] or int(np.ravel_multi_index(x, tile)) in around:
            return None
        found.append(around)
    return found
