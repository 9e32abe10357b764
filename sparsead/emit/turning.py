"""Copies between arrays in which the numbers of a point lie side by side, and blocks in which those of all points do.

They go in tiles: all points of a block, and few enough elements to stay in the cache next to the core. Results that
are too many for the caches are stored past them: a line that is written by and by would be read from memory before.
Then tiles are longer, as lines at their ends are written in two parts.
"""

from __future__ import annotations

from collections.abc import Callable

from sparsead.emit.source import PAST, Source

TILE = 64  # elements
LONG_TILE = 256  # of what is stored past the caches
MUCH = 1 << 22  # bytes of results from which on whoever reads them does not find them in the caches

Copy = Callable[[str], str]  # the statement that copies an element of the point ``p``, given the code of its number


def turn(out: Source, width: int, size: int, copy: Copy) -> None:
    """Write the loops that copy so many elements of all points of a block."""
    _tiles(out, width, size, copy, TILE, "e")


def turn_results(out: Source, width: int, size: int, copy: Copy) -> None:
    """Write the same for results of ``total`` points that nobody reads before all are there."""
    most = MUCH // (8 * size)
    with out.block(f"if total <= {most}:"):
        turn(out, width, size, copy)
    with out.block(f"if total > {most}:"):
        _tiles(out, width, size, copy, LONG_TILE, PAST)


def _tiles(out: Source, width: int, size: int, copy: Copy, tile: int, counter: str) -> None:
    def move(first: str, count: int) -> None:
        with out.block(f"for p in range({width}):"), out.block(f"for {counter} in range({count}):"):
            out.write(copy(f"{first} + {counter}"))

    if size >= tile:
        with out.block(f"for tile in range({size // tile}):"):
            move(f"{tile} * tile", tile)
    if size % tile:
        move(str(size - size % tile), size % tile)
