"""Patterns that repeat: grids, periodic or not, with one field or several, colored by construction."""

from .circular import circular_colorings
from .lattice import Lattice, find_lattices

__all__ = ["Lattice", "circular_colorings", "find_lattices"]
