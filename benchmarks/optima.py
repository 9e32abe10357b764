"""Patterns of known optimum, periodic and tensor ones for the most part: how many colors each needs."""

from __future__ import annotations

import scipy.sparse as sp

from benchmarks import matrices
from benchmarks.matrices import band, fields, from_steps, grid, ring, tensor


def hexagonal(N: int) -> sp.csr_array:
    """Stiffness of linear elements, two triangles to a cell."""
    return from_steps(N, [(0, 0), (0, 1), (1, 0), (1, -1), (0, -1), (-1, 0), (-1, 1)], periodic=False)


#: Patterns and their optimum, where counting proves it (entries that fit into the rows, or the longest row).
PROVEN = {
    "ring 128, 2": (ring(128, 2), 6),
    "ring 60, 3": (ring(60, 3), 8),
    "ring 1000, 10": (ring(1000, 10), 22),
    "ring 1024, 4": (ring(1024, 4), 10),
    "ring 100000, 2": (ring(100_000, 2), 5),
    "ring 99999, 2": (ring(99_999, 2), 6),
    "ring 7, 1": (ring(7, 1), 4),
    "ring 11, 2": (ring(11, 2), 6),
    "ring 17, 2": (ring(17, 2), 6),
    "ring 50, 12": (ring(50, 12), 25),
    "ring 51, 12": (ring(51, 12), 26),
    "ring 333, 7": (ring(333, 7), 16),
    "5 points, 40 x 40": (grid(40, 40, periodic=True), 5),
    "5 points, 25 x 35": (grid(25, 35, periodic=True), 5),
    "5 points, 32 x 32": (grid(32, 32, periodic=True), 6),
    "5 points, 31 x 37": (grid(31, 37, periodic=True), 6),
    "5 points, 128 x 127": (grid(128, 127, periodic=True), 6),
    "9 points, 30 x 33": (grid(30, 33, stencil="box", periodic=True), 9),
    "9 points, 32 x 30": (grid(32, 30, stencil="box", periodic=True), 10),
    "9 points, 64 x 100": (grid(64, 100, stencil="box", periodic=True), 10),
    "7 points, 14 x 14 x 14": (grid(14, 14, 14, periodic=True), 7),
    "7 points, 7 x 14 x 21": (grid(7, 14, 21, periodic=True), 7),
    "7 points, 16 x 16 x 16": (grid(16, 16, 16, periodic=True), 8),
    "7 points, 30 x 31 x 17": (grid(30, 31, 17, periodic=True), 8),
    "27 points, 9 x 9 x 12": (grid(9, 9, 12, stencil="box", periodic=True), 27),
    "27 points, 6 x 9 x 9": (grid(6, 9, 9, stencil="box", periodic=True), 27),
    "5 points, open": (grid(300, 300), 5),
    "7 points, open": (grid(20, 13, 17), 7),
    "9 points, open": (grid(30, 31, stencil="box"), 9),
    "27 points, open": (grid(9, 8, 7, stencil="box"), 27),
    "band x ring": (tensor(band(20, 2), ring(33, 1)), 15),
    "ring x band": (tensor(ring(33, 1), band(20, 2)), 15),
    "ring x ring": (tensor(ring(20, 2), ring(21, 3)), 35),
    "two fields, 60 x 60": (matrices.two_fields(60), 6),
    "two fields, 100 x 100": (matrices.two_fields(100), 7),
    "two fields, 256 x 256": (matrices.two_fields(256), 7),
    "3 fields between, 40 x 40": (fields(grid(40, 40, periodic=True), 3), 15),
    "3 fields between, 32 x 32": (fields(grid(32, 32, periodic=True), 3), 16),
    "4 fields one after the other": (fields(grid(20, 21, stencil="box"), 4, interleaved=False), 36),
    "5 fields between": (fields(grid(20, 21, stencil="box"), 5), 45),
    "2 fields between, 27 points": (fields(grid(8, 9, 10, stencil="box"), 2), 54),
    "4 fields around a ring": (fields(ring(50, 1), 4), 13),
    "triangles": (hexagonal(40), 7),
}
#: Others, whose optimum follows from an argument in words.
ARGUED = {
    # of three lines around the ring, a color takes at most every third place of one line in all: 96 / 10
    "ring x line, 9 points": (tensor(ring(32, 1), band(31, 1)), 10),
    "line x ring, 9 points": (tensor(band(31, 1), ring(32, 1)), 10),
    # five colors are a perfect code, of period 5 both ways
    "5 points, 64 x 50": (grid(64, 50, periodic=True), 6),
}

#: Symmetric patterns and the optimum of their acyclic colorings, which greedy orders miss.
ACYCLIC = {
    "5 points": (grid(40, 40), 3),
    "9 points": (grid(30, 31, stencil="box"), 5),
    "7 points": (grid(12, 13, 14), 4),
}

#: Symmetric patterns and the optimum of their star colorings, which greedy orders miss.
STAR = {
    "5 points": (grid(40, 40), 5),  # Fertin, Raspaud, Reed (2004): grids of more than 4 x 4 points
    "triangles": (hexagonal(40), 6),  # of any 16 that lie together
    "band": (band(300, 5), 11),
}
