"""Patterns that repeat: grids, periodic or not, with one field or several, colored by construction."""

from .blocks import block_size, blocks_of
from .circular import Sample, circular_colorings
from .lattice import Lattice, find_lattices
from .tiles import looks_tiled, tile_colorings
from .torus import torus_bound

__all__ = [
    "Lattice", "Sample", "block_size", "blocks_of", "circular_colorings", "find_lattices", "looks_tiled",
    "tile_colorings", "torus_bound",
]  # fmt: skip
